//! What a bank's file says of payment orders, and whether it can be taken (F03): all of it, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use conum_kernel::{PaymentOrderId, Result, Rule, Violations};

use super::payment::{State, Verdict};

/// A line of a bank's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The order's id as it was sent, without its prefix; none where the line speaks of the whole file.
    pub end_to_end_id: Option<String>,
    /// ISO 20022 external status code.
    pub status: String,
    /// ISO 20022 external reason code of a rejection.
    pub reason: Option<String>,
}

/// An order of the file that the bank answers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub order: PaymentOrderId,
    pub state: State,
}

/// The reason where a bank gives none: NARR means that it is told in words, which are not kept.
const NO_CODE: &str = "NARR";

/// What the lines of a bank's file come to, for the orders of the file that it names. A line on the whole file settles
/// every order of it that no other line speaks of.
///
/// # Errors
/// Every wrong line at once, as `content.lines[n]`: `UNKNOWN_ORDER`, `SETTLED_ORDER`, `UNKNOWN_STATUS`, `REPEATED_ORDER`;
/// `NO_LINES` where there is none.
pub fn decide(lines: &[Line], known: &[Known]) -> Result<Vec<(PaymentOrderId, Verdict)>> {
    const F03: Rule = Rule("F03");
    let mut wrong = Violations::default();
    let mut verdicts: Vec<(PaymentOrderId, Option<Verdict>)> = Vec::new();
    let mut whole = None;
    let by_id: BTreeMap<String, &Known> =
        known.iter().map(|known| (known.order.uuid().simple().to_string(), known)).collect();
    let mut named = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let field = format!("content.lines[{index}]");
        let verdict = match said(line) {
            Said::Final(verdict) => Some(verdict),
            Said::Pending => None,
            Said::Unknown => {
                let french = "ce statut n'est pas connu";
                wrong.breaks(F03, field, "UNKNOWN_STATUS", "this status is not known", french);
                continue;
            }
        };
        let Some(id) = &line.end_to_end_id else {
            whole = verdict.map(|verdict| match verdict {
                Verdict::Rejected(code) => Verdict::RejectedWithFile(code),
                other => other,
            });
            continue;
        };
        let Some(found) = by_id.get(id) else {
            let french = "cet ordre n'est pas dans le fichier de paiement";
            wrong.breaks(F03, field, "UNKNOWN_ORDER", "this order is not in the payment file", french);
            continue;
        };
        if !named.insert(found.order) {
            let french = "cet ordre est cité deux fois";
            wrong.breaks(F03, field, "REPEATED_ORDER", "this order is named twice", french);
        } else if found.state != State::Sent {
            let french = "la banque a déjà répondu sur cet ordre";
            wrong.breaks(F03, field, "SETTLED_ORDER", "the bank has answered on this order before", french);
        }
        verdicts.push((found.order, verdict));
    }
    if lines.is_empty() {
        wrong.breaks(F03, "content", "NO_LINES", "the file says nothing", "le fichier ne dit rien");
    }
    wrong.check()?;
    if let Some(whole) = whole {
        for order in known.iter().filter(|known| known.state == State::Sent).map(|known| known.order) {
            if !named.contains(&order) {
                verdicts.push((order, Some(whole.clone())));
            }
        }
    }
    Ok(verdicts.into_iter().filter_map(|(order, verdict)| Some((order, verdict?))).collect())
}

/// What a status says.
#[derive(Clone, Debug)]
enum Said {
    Final(Verdict),
    /// The bank is not done.
    Pending,
    Unknown,
}

fn said(line: &Line) -> Said {
    match line.status.as_str() {
        "ACSC" | "ACCC" => Said::Final(Verdict::Paid),
        "RJCT" => {
            let code = line.reason.clone().filter(|code| is_code(code)).unwrap_or_else(|| NO_CODE.into());
            Said::Final(Verdict::Rejected(code))
        }
        "RCVD" | "ACTC" | "ACCP" | "ACSP" | "ACWC" | "PDNG" | "PART" => Said::Pending,
        _ => Said::Unknown,
    }
}

/// Codes of the external lists have up to four characters: a bank's words are not kept.
fn is_code(code: &str) -> bool {
    (1..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::id;

    fn known(number: usize, state: State) -> Known {
        Known { order: id(number), state }
    }

    fn line(number: usize, status: &str) -> Line {
        let order: PaymentOrderId = id(number);
        let reason = (status == "RJCT").then(|| "AC01".to_owned());
        Line { end_to_end_id: Some(order.uuid().simple().to_string()), status: status.into(), reason }
    }

    #[test]
    fn f03_an_answer_for_an_unknown_or_settled_order_is_refused_whole_and_every_line_is_named() {
        let known = [known(1, State::Sent), known(2, State::Paid)];
        let lines = [line(1, "ACSC"), line(2, "ACSC"), line(3, "RJCT"), line(1, "RJCT"), line(1, "WHAT")];
        let error = decide(&lines, &known).unwrap_err();
        let named: Vec<_> = error.violations().iter().map(|v| (v.field.as_str(), v.reason)).collect();
        let expected = [
            ("content.lines[1]", "SETTLED_ORDER"),
            ("content.lines[2]", "UNKNOWN_ORDER"),
            ("content.lines[3]", "REPEATED_ORDER"),
            ("content.lines[4]", "UNKNOWN_STATUS"),
        ];
        assert_eq!(named, expected);
        assert_eq!(error.rule(), Some(Rule("F03")));
    }

    #[test]
    fn f03_accepted_is_paid_rejected_keeps_its_code_and_pending_changes_nothing() {
        let known = [known(1, State::Sent), known(2, State::Sent), known(3, State::Sent)];
        let verdicts = decide(&[line(1, "ACCC"), line(2, "RJCT"), line(3, "PDNG")], &known).unwrap();
        assert_eq!(verdicts, [(id(1), Verdict::Paid), (id(2), Verdict::Rejected("AC01".into()))]);
        let whole = Line { end_to_end_id: None, status: "ACSC".into(), reason: None };
        let verdicts = decide(&[line(2, "RJCT"), whole], &known).unwrap();
        assert_eq!(verdicts.len(), 3);
        assert_eq!(verdicts[0], (id(2), Verdict::Rejected("AC01".into())));
        let refused = Line { end_to_end_id: None, ..line(1, "RJCT") };
        let verdicts = decide(&[refused, line(2, "RJCT")], &known).unwrap();
        let with_file = Verdict::RejectedWithFile("AC01".into());
        let expected = [(id(2), Verdict::Rejected("AC01".into())), (id(1), with_file.clone()), (id(3), with_file)];
        assert_eq!(verdicts, expected, "the payees of a file that is refused are not at fault");
        let wordy = Line { reason: Some("M. Martin n'existe pas".into()), ..line(2, "RJCT") };
        assert_eq!(decide(&[wordy], &known).unwrap()[0].1, Verdict::Rejected("NARR".into()), "no words are kept");
    }
}
