//! The agency's payments and the bank: a file a week, an answer two days later, early ends settled, claims repaid or waived.

use std::{collections::BTreeMap, fmt::Write as _};

use conum_kernel::Error;
use conum_proto::finance::v1::{
    Claim, CreatePaymentFileRequest, ListClaimsRequest, ListConventionsRequest, ListPaymentOrdersRequest, PaymentOrder,
    RecordBankAnswerRequest, RecordRepaymentRequest, SettleEndingRequest, WaiveClaimRequest, WaiverReason,
};

use super::{
    recruiter::Day,
    treasurer::Treasurer,
    voice::{agency, is, unexpected},
};

/// Between two payment files, in days.
const WEEK: i64 = 7;
/// Between two looks at the claims, in days.
const MONTH: i64 = 30;

/// The agency's cashier, and the bank behind.
#[derive(Debug, Default)]
pub(crate) struct Cashier {
    /// Files that the bank has not answered, with the day on which it will.
    sent: Vec<(i64, String)>,
    /// Early ends, by the day on which they are looked at: application and post.
    endings: BTreeMap<i64, Vec<(String, String)>>,
    /// Claims that were looked at.
    claims: std::collections::BTreeSet<String>,
    /// What becomes of claims, by day.
    repayments: BTreeMap<i64, Vec<(Claim, Fate)>>,
    /// The bank has refused something: at any seed it does.
    refused: bool,
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Repaid,
    HalfWaived,
}

impl Cashier {
    /// A contract on a post ended early: its documents come in some weeks.
    pub(crate) fn ended(&mut self, application: &str, post: &str, day: Day<'_>) {
        let on = day.number + day.chance.between(10, 30, post, "settled");
        self.endings.entry(on).or_default().push((application.into(), post.into()));
    }

    /// Does what is to be done on a day.
    ///
    /// # Errors
    /// The first answer that the cast did not expect.
    pub(crate) async fn act(&mut self, day: Day<'_>, treasurers: &mut BTreeMap<usize, Treasurer>) -> Result<(), Error> {
        let answered: Vec<_> = self.sent.extract_if(.., |(on, _)| *on <= day.number).map(|(_, file)| file).collect();
        for file in answered {
            self.answer(day, &file, treasurers).await?;
        }
        for (application, post) in self.endings.remove(&day.number).unwrap_or_default() {
            self.settle(day, application, post).await?;
        }
        if day.number % WEEK == 0 {
            while let Some(file) = Self::file(day, self.sent.len()).await? {
                self.sent.push((day.number + 2, file));
            }
        }
        if day.number % MONTH == 0 {
            self.look_at_claims(day).await?;
        }
        for (claim, fate) in self.repayments.remove(&day.number).unwrap_or_default() {
            Self::repay(day, &claim, fate).await?;
        }
        Ok(())
    }

    /// A file of what is ready, where something is.
    async fn file(day: Day<'_>, before: usize) -> Result<Option<String>, Error> {
        let request_id = day.chance.request_id(&format!("{}/{before}", day.number), "payment file");
        let message = CreatePaymentFileRequest { request_id, ..CreatePaymentFileRequest::default() };
        let mut client = day.voice.payments();
        match day.voice.ask(&agency(), message, async |asked| client.create_payment_file(asked).await).await? {
            Ok(file) => Ok(Some(file.name)),
            Err(refused) if is(&refused, &["NOTHING_TO_PAY"]) => Ok(None),
            Err(refused) => Err(unexpected("CreatePaymentFile")(refused)),
        }
    }

    /// The bank answers on a file: it pays nearly all, and refuses a few accounts.
    async fn answer(
        &mut self,
        day: Day<'_>,
        file: &str,
        treasurers: &mut BTreeMap<usize, Treasurer>,
    ) -> Result<(), Error> {
        let orders = orders(day, file).await?;
        let mut lines = String::new();
        for order in &orders {
            let id = reference(&order.name);
            let closed = !self.refused || day.chance.happens(3, &order.name, "account closed");
            let busy = !closed && day.chance.happens(1, &order.name, "bank busy");
            let (status, reason) = match (closed, busy) {
                (true, _) => ("RJCT", "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"),
                (_, true) => ("RJCT", "<StsRsnInf><Rsn><Cd>MS03</Cd></Rsn></StsRsnInf>"),
                _ => ("ACSC", ""),
            };
            let _ = write!(
                lines,
                "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
            );
            if closed {
                self.refused = true;
                for treasurer in treasurers.values_mut().filter(|treasurer| treasurer.is(&order.structure)) {
                    treasurer.account_refused(day.number);
                }
            }
        }
        let id = reference(file);
        let content = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
             <GrpHdr><MsgId>{}</MsgId><CreDtTm>{}T12:00:00Z</CreDtTm></GrpHdr>\
             <OrgnlGrpInfAndSts><OrgnlMsgId>{id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>\
             </OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{id}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>\
             </CstmrPmtStsRpt></Document>",
            day.number, day.date
        );
        let request_id = day.chance.request_id(file, "bank answer");
        let message = RecordBankAnswerRequest { content: content.into_bytes(), request_id };
        let mut client = day.voice.payments();
        let answer = day.voice.ask(&agency(), message, async |asked| client.record_bank_answer(asked).await).await?;
        answer.map_err(unexpected("RecordBankAnswer"))?;
        Ok(())
    }

    /// Accepts the documents of an early end, and settles it; later where the bank still has a payment.
    async fn settle(&mut self, day: Day<'_>, application: String, post: String) -> Result<(), Error> {
        let message = ListConventionsRequest { application: application.clone(), ..ListConventionsRequest::default() };
        let mut client = day.voice.conventions();
        let answer = day.voice.ask(&agency(), message, async |asked| client.list_conventions(asked).await).await?;
        let Some(convention) = answer.map_err(unexpected("ListConventions"))?.conventions.pop() else {
            return Ok(());
        };
        let message = SettleEndingRequest {
            name: convention.name,
            post: post.clone(),
            request_id: day.chance.request_id(&format!("{post}/{}", day.number), "settle"),
            ..SettleEndingRequest::default()
        };
        match day.voice.ask(&agency(), message, async |asked| client.settle_ending(asked).await).await? {
            Ok(_) => Ok(()),
            Err(refused) if is(&refused, &["PAYMENT_UNDER_WAY", "NOT_IN_FORCE"]) => {
                self.endings.entry(day.number + 3).or_default().push((application, post));
                Ok(())
            }
            // Given back meanwhile: that has settled it.
            Err(refused) if is(&refused, &["NO_ENDING", "GIVEN_BACK"]) => Ok(()),
            Err(refused) => Err(unexpected("SettleEnding")(refused)),
        }
    }

    /// Decides what becomes of new claims: most are repaid, some half waived, some stay.
    async fn look_at_claims(&mut self, day: Day<'_>) -> Result<(), Error> {
        let mut page_token = String::new();
        loop {
            let message = ListClaimsRequest { page_size: 1000, page_token, ..ListClaimsRequest::default() };
            let mut client = day.voice.claims();
            let answer = day.voice.ask(&agency(), message, async |asked| client.list_claims(asked).await).await?;
            let page = answer.map_err(unexpected("ListClaims"))?;
            for claim in page.claims {
                if !self.claims.insert(claim.name.clone()) || claim.outstanding_cents == 0 {
                    continue;
                }
                let fate = match day.chance.below(100, &claim.name, "fate") {
                    0..60 => Fate::Repaid,
                    60..75 => Fate::HalfWaived,
                    _ => continue,
                };
                let on = day.number + day.chance.between(20, 80, &claim.name, "repaid");
                self.repayments.entry(on).or_default().push((claim, fate));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    async fn repay(day: Day<'_>, claim: &Claim, fate: Fate) -> Result<(), Error> {
        let mut client = day.voice.claims();
        let repaid = match fate {
            Fate::Repaid => claim.outstanding_cents,
            Fate::HalfWaived => claim.outstanding_cents / 2,
        };
        let message = RecordRepaymentRequest {
            name: claim.name.clone(),
            amount_cents: repaid,
            request_id: day.chance.request_id(&claim.name, "repay"),
        };
        // A replacement may have set a part of it off meanwhile.
        match day.voice.ask(&agency(), message, async |asked| client.record_repayment(asked).await).await? {
            Ok(_) => {}
            Err(refused) if is(&refused, &["ABOVE_OUTSTANDING"]) => return Ok(()),
            Err(refused) => return Err(unexpected("RecordRepayment")(refused)),
        }
        if matches!(fate, Fate::HalfWaived) {
            let message = WaiveClaimRequest {
                name: claim.name.clone(),
                amount_cents: claim.outstanding_cents - repaid,
                reason: WaiverReason::ForceMajeure.into(),
                request_id: day.chance.request_id(&claim.name, "waive"),
            };
            match day.voice.ask(&agency(), message, async |asked| client.waive_claim(asked).await).await? {
                Ok(_) => {}
                Err(refused) if is(&refused, &["ABOVE_OUTSTANDING"]) => {}
                Err(refused) => return Err(unexpected("WaiveClaim")(refused)),
            }
        }
        Ok(())
    }
}

/// What a file calls an order, or itself: the id without its prefix, for ISO 20022 has 35 characters for it.
fn reference(name: &str) -> &str {
    name.rsplit_once('_').map_or(name, |(_, id)| id)
}

/// The orders of a file.
async fn orders(day: Day<'_>, file: &str) -> Result<Vec<PaymentOrder>, Error> {
    let (mut orders, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = ListPaymentOrdersRequest {
            page_size: 1000,
            page_token,
            payment_file: file.into(),
            ..ListPaymentOrdersRequest::default()
        };
        let mut client = day.voice.payments();
        let answer = day.voice.ask(&agency(), message, async |asked| client.list_payment_orders(asked).await).await?;
        let page = answer.map_err(unexpected("ListPaymentOrders"))?;
        orders.extend(page.payment_orders);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(orders);
        }
    }
}
