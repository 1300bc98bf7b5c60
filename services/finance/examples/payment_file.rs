//! Writes a payment file to standard output, for a check against the published schema:
//! `cargo run -p conum-finance --example payment_file > payment.xml`.

use std::io::Write as _;

use conum_finance::{
    domain::account::Details,
    iso20022::credit_transfer::{CreditTransfer, Transaction},
};
use conum_kernel::{Cents, Clock, Ids};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let moment = Clock::manual("2021-02-01T08:00:00Z".parse()?).moment();
    let ids = Ids::seeded(1);
    let details = |holder: &str, bic: &str| Details {
        iban: "FR1420041010050500013M02606".into(),
        bic: bic.into(),
        holder: holder.into(),
    };
    let order = |number: i64, holder: &str, bic: &str| Transaction {
        order: ids.mint(moment.now, &number.to_string()),
        amount: Cents(number * 123_456 + 1),
        creditor: details(holder, bic),
        remittance: format!("CONSEILLER NUMERIQUE {number}"),
    };
    let file = CreditTransfer {
        id: ids.mint(moment.now, "file"),
        created: moment,
        execution_on: moment.today,
        debtor: details("AGENCE NATIONALE DE LA COHESION DES TERRITOIRES", "TRPUFRP1"),
        transactions: vec![
            order(0, "Mairie de Saint-Étienne", ""),
            order(1, "Communauté d'agglomération « L'Œuvre » & Cie <1>", "PSSTFRPPXXX"),
            order(2, &"É".repeat(70), ""),
        ],
    };
    std::io::stdout().write_all(&file.write()?)?;
    Ok(())
}
