//! pain.002.001.10: a customer payment status report. Only what the rules need is read.

use conum_kernel::{Error, Result, Rule};
use quick_xml::{Reader, events::Event};

use crate::domain::{answers::Line, refusals::breaks};

/// The message's namespace.
pub const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10";
/// The largest file that is read, in bytes.
pub const MOST: usize = 4 << 20;

/// A bank's report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The MsgId of the payment file that it answers.
    pub original: String,
    pub lines: Vec<Line>,
}

fn wrong(reason: &'static str, english: &'static str, french: &'static str) -> Error {
    breaks(Rule("F03"), "content", reason, english, french)
}

fn not_a_report() -> Error {
    wrong("NOT_A_PAIN_002", "a pain.002.001.10 file is expected", "un fichier pain.002.001.10 est attendu")
}

/// Reads a report.
///
/// # Errors
/// `TOO_LARGE`, or `NOT_A_PAIN_002` for anything else than a well-formed report on a payment file.
pub fn read(content: &[u8]) -> Result<Report> {
    if content.len() > MOST {
        return Err(wrong("TOO_LARGE", "at most 4 MiB", "au plus 4 Mio"));
    }
    let mut reader = Reader::from_reader(content);
    let mut state = Reading::default();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).map_err(|_| not_a_report())? {
            Event::Start(element) => {
                if state.path.is_empty() {
                    let mut attributes = element.attributes().flatten();
                    if !attributes.any(|attribute| attribute.value.as_ref() == NAMESPACE.as_bytes()) {
                        return Err(not_a_report());
                    }
                }
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                state.open(name);
            }
            Event::Text(text) => state.text.push_str(&text.decode().map_err(|_| not_a_report())?),
            Event::End(_) => state.close(),
            // No entity is ever resolved.
            Event::DocType(_) => return Err(not_a_report()),
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    if !state.path.is_empty() || state.report.original.is_empty() {
        return Err(not_a_report());
    }
    Ok(state.report)
}

#[derive(Default)]
struct Reading {
    path: Vec<String>,
    text: String,
    report: Report,
    line: Option<Line>,
}

/// Where a status with its reason stands: the whole file, or one transaction.
const GROUP: &str = "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts";
const PAYMENT: &str = "Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts";
const TRANSACTION: &str = "Document/CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts";

impl Reading {
    fn open(&mut self, name: String) {
        self.path.push(name);
        self.text.clear();
        let path = self.path.join("/");
        if path == PAYMENT {
            // What the group's status was is a line of its own.
            self.flush();
        }
        if [GROUP, PAYMENT, TRANSACTION].contains(&path.as_str()) {
            self.flush();
            self.line = Some(Line { end_to_end_id: None, status: String::new(), reason: None });
        }
    }

    fn close(&mut self) {
        let path = self.path.join("/");
        let text = self.text.trim().to_owned();
        if path == format!("{GROUP}/OrgnlMsgId") {
            self.report.original.clone_from(&text);
        }
        if let Some(line) = &mut self.line {
            let last = self.path.last().map(String::as_str).unwrap_or_default();
            match last {
                "OrgnlEndToEndId" => line.end_to_end_id = Some(text),
                "GrpSts" | "PmtInfSts" | "TxSts" => line.status = text,
                "Cd" if path.ends_with("StsRsnInf/Rsn/Cd") => line.reason = Some(text),
                _ => {}
            }
        }
        if [GROUP, PAYMENT, TRANSACTION].contains(&path.as_str()) {
            self.flush();
        }
        self.path.pop();
        self.text.clear();
    }

    /// Keeps a line that says something.
    fn flush(&mut self) {
        if let Some(line) = self.line.take().filter(|line| !line.status.is_empty() || line.end_to_end_id.is_some()) {
            self.report.lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(body: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Document xmlns=\"{NAMESPACE}\"><CstmrPmtStsRpt><GrpHdr><MsgId>bank-1</MsgId></GrpHdr>\
             {body}</CstmrPmtStsRpt></Document>"
        )
    }

    #[test]
    fn f03_a_report_says_what_became_of_the_file_and_of_each_order() {
        let body = "<OrgnlGrpInfAndSts><OrgnlMsgId>abc</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>\
            <OrgnlPmtInfAndSts><OrgnlPmtInfId>abc</OrgnlPmtInfId>\
            <TxInfAndSts><OrgnlEndToEndId>one</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>\
            <TxInfAndSts><OrgnlEndToEndId>two</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>\
            </StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>";
        let read = read(report(body).as_bytes()).unwrap();
        assert_eq!(read.original, "abc");
        let lines: Vec<_> = read
            .lines
            .iter()
            .map(|line| (line.end_to_end_id.as_deref(), line.status.as_str(), line.reason.as_deref()))
            .collect();
        let expected = [(None, "PART", None), (Some("one"), "ACSC", None), (Some("two"), "RJCT", Some("AC04"))];
        assert_eq!(lines, expected);
    }

    #[test]
    fn f03_anything_else_than_a_report_is_refused() {
        let doctype = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", report(""));
        for bad in ["", "hello", "<Document/>", "<Document xmlns=\"other\"></Document>", &doctype, &report("<open>")] {
            let error = read(bad.as_bytes()).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("NOT_A_PAIN_002", Some(Rule("F03"))), "{bad}");
        }
        assert_eq!(read(&vec![b' '; MOST + 1]).unwrap_err().reason(), "TOO_LARGE");
    }
}
