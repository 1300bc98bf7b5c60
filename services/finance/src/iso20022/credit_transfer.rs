//! pain.001.001.09: a customer credit transfer, one payment of the debtor's account with a transaction for each order.

use conum_kernel::{Cents, Error, Moment, PaymentFileId, PaymentOrderId, Result};
use jiff::civil::Date;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use crate::domain::account::{Details, sepa_text};

/// The message's namespace.
pub const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// The longest name, and the longest remittance text.
const NAME: usize = 70;
const REMITTANCE: usize = 140;

/// A payment file to be.
#[derive(Clone, Debug)]
pub struct CreditTransfer {
    pub id: PaymentFileId,
    pub created: Moment,
    pub execution_on: Date,
    pub debtor: Details,
    pub transactions: Vec<Transaction>,
}

/// One order of it.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub order: PaymentOrderId,
    pub amount: Cents,
    pub creditor: Details,
    /// What the structure reads on its statement.
    pub remittance: String,
}

impl CreditTransfer {
    /// The sum of its orders.
    ///
    /// # Errors
    /// Internal where it leaves 64 bits.
    pub fn total(&self) -> Result<Cents> {
        self.transactions.iter().try_fold(Cents::ZERO, |sum, transaction| sum.plus(transaction.amount))
    }

    /// The file's bytes, UTF-8.
    ///
    /// # Errors
    /// Internal where nothing can be written.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.event(Event::Start(BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)])))?;
        xml.within("CstmrCdtTrfInitn", |xml| {
            self.header(xml)?;
            self.payment(xml)
        })?;
        xml.event(Event::End(BytesEnd::new("Document")))?;
        Ok(xml.0.into_inner())
    }

    fn sums(&self, xml: &mut Xml) -> Result<()> {
        xml.leaf("NbOfTxs", &self.transactions.len().to_string())?;
        xml.leaf("CtrlSum", &decimal(self.total()?))
    }

    fn header(&self, xml: &mut Xml) -> Result<()> {
        xml.within("GrpHdr", |xml| {
            xml.leaf("MsgId", &self.id.uuid().simple().to_string())?;
            xml.leaf("CreDtTm", &self.created.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?;
            self.sums(xml)?;
            xml.nested(&["InitgPty"], "Nm", &sepa_text(&self.debtor.holder, NAME))
        })
    }

    fn payment(&self, xml: &mut Xml) -> Result<()> {
        xml.within("PmtInf", |xml| {
            xml.leaf("PmtInfId", &self.id.uuid().simple().to_string())?;
            xml.leaf("PmtMtd", "TRF")?;
            xml.leaf("BtchBookg", "false")?;
            self.sums(xml)?;
            xml.nested(&["PmtTpInf", "SvcLvl"], "Cd", "SEPA")?;
            xml.nested(&["ReqdExctnDt"], "Dt", &self.execution_on.to_string())?;
            xml.nested(&["Dbtr"], "Nm", &sepa_text(&self.debtor.holder, NAME))?;
            xml.nested(&["DbtrAcct", "Id"], "IBAN", &self.debtor.iban)?;
            xml.nested(&["DbtrAgt", "FinInstnId"], "BICFI", &self.debtor.bic)?;
            xml.leaf("ChrgBr", "SLEV")?;
            self.transactions.iter().try_for_each(|transaction| transaction.write(xml))
        })
    }
}

impl Transaction {
    fn write(&self, xml: &mut Xml) -> Result<()> {
        xml.within("CdtTrfTxInf", |xml| {
            xml.nested(&["PmtId"], "EndToEndId", &self.order.uuid().simple().to_string())?;
            xml.within("Amt", |xml| {
                xml.event(Event::Start(BytesStart::new("InstdAmt").with_attributes([("Ccy", "EUR")])))?;
                xml.event(Event::Text(BytesText::new(&decimal(self.amount))))?;
                xml.event(Event::End(BytesEnd::new("InstdAmt")))
            })?;
            if !self.creditor.bic.is_empty() {
                xml.nested(&["CdtrAgt", "FinInstnId"], "BICFI", &self.creditor.bic)?;
            }
            xml.nested(&["Cdtr"], "Nm", &sepa_text(&self.creditor.holder, NAME))?;
            xml.nested(&["CdtrAcct", "Id"], "IBAN", &self.creditor.iban)?;
            xml.nested(&["RmtInf"], "Ustrd", &sepa_text(&self.remittance, REMITTANCE))
        })
    }
}

/// An amount with two decimals.
fn decimal(cents: Cents) -> String {
    format!("{}.{:02}", cents.0 / 100, cents.0 % 100)
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) -> Result<()> {
        self.0.write_event(event).map_err(Error::internal)
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.event(Event::Start(BytesStart::new(name)))?;
        inside(self)?;
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn leaf(&mut self, name: &str, text: &str) -> Result<()> {
        self.within(name, |xml| xml.event(Event::Text(BytesText::new(text))))
    }

    /// A leaf within elements of its own.
    fn nested(&mut self, path: &[&str], name: &str, text: &str) -> Result<()> {
        match path {
            [] => self.leaf(name, text),
            [first, rest @ ..] => self.within(first, |xml| xml.nested(rest, name, text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use conum_kernel::clock::start_of_day;

    use super::*;
    use crate::domain::examples::{date, id};

    fn details(holder: &str) -> Details {
        Details { iban: "FR1420041010050500013M02606".into(), bic: "PSSTFRPPXXX".into(), holder: holder.into() }
    }

    #[test]
    fn f03_a_payment_file_names_each_order_with_its_amount_and_the_account_in_sepa_characters() {
        let transaction = |number, cents, holder| Transaction {
            order: id(number),
            amount: Cents(cents),
            creditor: details(holder),
            remittance: "Conseiller numérique <1>".into(),
        };
        let file = CreditTransfer {
            id: id(1),
            created: Moment::at(start_of_day(date("2021-02-01"))),
            execution_on: date("2021-02-03"),
            debtor: details("Agence nationale"),
            transactions: vec![transaction(1, 1_000_000, "Mairie d'Évry & Cie"), transaction(2, 5, "Commune")],
        };
        let xml = String::from_utf8(file.write().unwrap()).unwrap();
        let order: PaymentOrderId = id(1);
        for expected in [
            NAMESPACE.to_owned(),
            "<CtrlSum>10000.05</CtrlSum>".into(),
            "<NbOfTxs>2</NbOfTxs>".into(),
            "<InstdAmt Ccy=\"EUR\">10000.00</InstdAmt>".into(),
            "<InstdAmt Ccy=\"EUR\">0.05</InstdAmt>".into(),
            "<Nm>Mairie d&apos;Evry Cie</Nm>".into(),
            "<Ustrd>Conseiller numerique 1</Ustrd>".into(),
            format!("<EndToEndId>{}</EndToEndId>", order.uuid().simple()),
        ] {
            assert!(xml.contains(&expected), "{expected}\n{xml}");
        }
    }
}
