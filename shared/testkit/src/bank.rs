//! What a bank says of payment files.

/// An answer of the bank on a file (pain.002.001.10): for each order, its status and the code of a rejection.
#[must_use]
pub fn report(file: &str, lines: &[(&str, &str, &str)]) -> Vec<u8> {
    let lines: String = lines
        .iter()
        .map(|(order, status, code)| {
            let reason = if code.is_empty() {
                String::new()
            } else {
                format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>")
            };
            let order = order.trim_start_matches("paymentOrders/pay_");
            format!(
                "<TxInfAndSts><OrgnlEndToEndId>{order}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
            )
        })
        .collect();
    let file = file.trim_start_matches("paymentFiles/file_");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>bank</MsgId><CreDtTm>2021-01-01T00:00:00Z</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{file}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>\
         </OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{file}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>\
         </CstmrPmtStsRpt></Document>"
    )
    .into_bytes()
}
