//! Between the wire and the domain: dates, instants, masks, pages of conversions that every service needs.

use conum_kernel::{Error, Result};
use conum_proto::google::r#type as wire;
use jiff::{Timestamp, civil::Date};

/// A calendar day, if the message has one.
///
/// # Errors
/// `INVALID_DATE` at `field` for a day that no calendar has.
pub fn date(field: &str, date: Option<&wire::Date>) -> Result<Option<Date>> {
    date.map(|date| {
        let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
        let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(invalid_date(field)) };
        // Four digits: what every database and every client of ours can keep.
        if !(1..=9999).contains(&year) {
            return Err(invalid_date(field));
        }
        Date::new(year, month, day).map_err(|_| invalid_date(field))
    })
    .transpose()
}

/// A calendar day that must be there.
///
/// # Errors
/// `REQUIRED` or `INVALID_DATE` at `field`.
pub fn required_date(field: &str, value: Option<&wire::Date>) -> Result<Date> {
    date(field, value)?.ok_or_else(|| required(field))
}

/// The error of a compulsory field that is missing.
#[must_use]
pub fn required(field: &str) -> Error {
    Error::invalid(field, "REQUIRED", "this field is required", "ce champ est obligatoire")
}

/// The error of an enum value that the contract does not have, or left unspecified.
#[must_use]
pub fn unknown_value(field: &str) -> Error {
    Error::invalid(field, "UNKNOWN_VALUE", "a value of the list is expected", "une valeur de la liste est attendue")
}

fn invalid_date(field: &str) -> Error {
    Error::invalid(field, "INVALID_DATE", "this is no day of the calendar", "ce jour n'existe pas dans le calendrier")
}

/// A calendar day on the wire.
#[must_use]
pub fn from_date(date: Date) -> wire::Date {
    wire::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// An instant on the wire.
#[must_use]
pub fn from_timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// An instant from the wire.
///
/// # Errors
/// `INVALID_TIMESTAMP` at `field`.
pub fn timestamp(field: &str, at: &prost_types::Timestamp) -> Result<Timestamp> {
    Timestamp::new(at.seconds, at.nanos)
        .map_err(|_| Error::invalid(field, "INVALID_TIMESTAMP", "this is no instant", "cet instant n'existe pas"))
}

/// Refuses a stale etag; an empty one asks for nothing (AIP-154).
///
/// # Errors
/// Aborted, `STALE_ETAG`.
pub fn fresh(name: &str, given: &str, version: i64) -> Result<()> {
    if given.is_empty() || given == version.to_string() { Ok(()) } else { Err(Error::stale(name)) }
}

/// The paths of a field mask, checked against what may be changed; all of it when the mask is empty.
///
/// # Errors
/// `UNKNOWN_FIELD` at `update_mask`.
pub fn mask(mask: Option<&prost_types::FieldMask>, allowed: &[&'static str]) -> Result<Vec<&'static str>> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else { return Ok(allowed.to_vec()) };
    mask.paths
        .iter()
        .map(|path| {
            allowed.iter().copied().find(|field| field == path).ok_or_else(|| {
                Error::invalid(
                    "update_mask",
                    "UNKNOWN_FIELD",
                    format!("the fields that can be changed are: {}", allowed.join(", ")),
                    format!("les champs modifiables sont : {}", allowed.join(", ")),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_date_is_refused_at_its_field() {
        let wire = |year, month, day| Some(wire::Date { year, month, day });
        assert_eq!(date("d", wire(2021, 2, 28).as_ref()).unwrap().unwrap(), Date::constant(2021, 2, 28));
        for bad in [wire(2021, 2, 29), wire(2021, 0, 1), wire(2021, 13, 1), wire(0, 1, 1), wire(i32::MAX, 1, 1)] {
            assert_eq!(date("d", bad.as_ref()).unwrap_err().reason(), "INVALID_DATE");
        }
        assert_eq!(required_date("d", None).unwrap_err().violations()[0].field, "d");
    }

    #[test]
    fn an_etag_of_another_version_is_stale_and_an_empty_one_asks_for_nothing() {
        assert!(fresh("candidates/x", "", 3).is_ok() && fresh("candidates/x", "3", 3).is_ok());
        assert_eq!(fresh("candidates/x", "2", 3).unwrap_err().reason(), "STALE_ETAG");
    }

    #[test]
    fn a_mask_names_known_fields_only() {
        let paths = |paths: &[&str]| prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
        assert_eq!(mask(Some(&paths(&["a"])), &["a", "b"]).unwrap(), ["a"]);
        assert_eq!(mask(None, &["a", "b"]).unwrap(), ["a", "b"]);
        assert!(mask(Some(&paths(&["c"])), &["a", "b"]).is_err());
    }
}
