//! How much a post is granted (F01): a dated table by kind of structure, raised overseas by department or collectivity.

use conum_kernel::{Cents, Error, Result, Rule, policy::words};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::refusals::breaks;

const F01: Rule = Rule("F01");
/// The most that a row of the table may say: a million euros.
pub const MOST: Cents = Cents(100_000_000);

/// What a structure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Public,
    Private,
}

impl Kind {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "public" => Some(Self::Public),
            "private" => Some(Self::Private),
            _ => None,
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    pub kind: Kind,
    /// INSEE code of a department or collectivity that has an amount of its own; none for everywhere else.
    pub department: Option<String>,
    pub from: Date,
    pub cents: Cents,
}

/// Reads the table's policy: rows `kind:YYYY-MM-DD=cents` or `kind:department:YYYY-MM-DD=cents`.
///
/// # Errors
/// `INVALID_AMOUNT_ROW`, `AMOUNT_OUT_OF_RANGE` or `PRIVATE_NOT_RAISED` at `value`.
pub fn read(policy: &str) -> Result<Vec<Amount>> {
    words(policy).map(row).collect()
}

fn row(text: &str) -> Result<Amount> {
    let amount = parse(text).ok_or_else(|| {
        breaks(
            F01,
            "value",
            "INVALID_AMOUNT_ROW",
            "rows kind:YYYY-MM-DD=cents or kind:department:YYYY-MM-DD=cents are expected",
            "des lignes type:AAAA-MM-JJ=centimes ou type:département:AAAA-MM-JJ=centimes sont attendues",
        )
    })?;
    if amount.cents <= Cents::ZERO || amount.cents > MOST {
        return Err(breaks(
            F01,
            "value",
            "AMOUNT_OUT_OF_RANGE",
            "an amount is more than 0 and at most 1,000,000 euros",
            "un montant est supérieur à 0 et d'au plus 1 000 000 euros",
        ));
    }
    if amount.kind == Kind::Private && amount.department.is_some() {
        return Err(breaks(
            F01,
            "value",
            "PRIVATE_NOT_RAISED",
            "the amount of a private structure is not raised overseas",
            "le montant d'une structure privée n'est pas majoré outre-mer",
        ));
    }
    Ok(amount)
}

fn parse(row: &str) -> Option<Amount> {
    let (key, cents) = row.split_once('=')?;
    let parts: Vec<_> = key.split(':').collect();
    let (kind, department, from) = match parts.as_slice() {
        [kind, from] => (kind, None, from),
        [kind, department, from] if !department.is_empty() => (kind, Some((*department).to_owned()), from),
        _ => return None,
    };
    let (kind, from) = (Kind::parse(kind)?, from.parse().ok()?);
    Some(Amount { kind, department, from, cents: Cents(cents.parse().ok()?) })
}

/// The amount in force on the day of a signature: the department's own row, or the general one; of several, the last that
/// applies by then.
///
/// # Errors
/// `NO_AMOUNT` where no row applies yet.
pub fn in_force(table: &[Amount], kind: Kind, department: &str, day: Date) -> Result<Cents> {
    let of = |department: Option<&str>| {
        let rows = table.iter().filter(|row| row.kind == kind && row.department.as_deref() == department);
        rows.filter(|row| row.from <= day).max_by_key(|row| row.from).map(|row| row.cents)
    };
    of(Some(department)).or_else(|| of(None)).ok_or_else(|| {
        Error::refused(
            F01,
            "NO_AMOUNT",
            "no amount is in force on the day of the signature",
            "aucun montant n'est en vigueur au jour de la signature",
        )
        .at("signed_on")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{examples::date, policies::GRANTS};

    #[test]
    fn f01_a_public_post_is_granted_50_000_and_a_private_one_40_000() {
        let table = read(GRANTS).unwrap();
        let amount = |kind, department| in_force(&table, kind, department, date("2021-02-01")).unwrap();
        assert_eq!(amount(Kind::Public, "69"), Cents(5_000_000));
        assert_eq!(amount(Kind::Private, "69"), Cents(4_000_000));
        assert_eq!(amount(Kind::Public, "974"), Cents(5_000_000), "no raise until one is entered");
    }

    #[test]
    fn f01_the_amount_in_force_on_the_signature_is_kept_by_date_and_department() {
        let later =
            format!("{GRANTS},public:2021-10-01=5480500,private:2021-10-01=3680500,public:974:2021-10-01=7230500");
        let table = read(&later).unwrap();
        let amount = |kind, department, day| in_force(&table, kind, department, date(day)).unwrap();
        assert_eq!(amount(Kind::Public, "69", "2021-09-30"), Cents(5_000_000));
        assert_eq!(amount(Kind::Public, "69", "2021-10-01"), Cents(5_480_500));
        assert_eq!(amount(Kind::Private, "974", "2021-10-01"), Cents(3_680_500));
        assert_eq!(amount(Kind::Public, "974", "2021-10-01"), Cents(7_230_500));
        let error = in_force(&table, Kind::Public, "69", date("2019-01-01")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("NO_AMOUNT", Some(F01)));
    }

    #[test]
    fn f01_a_row_that_is_negative_fractional_or_beyond_the_ceiling_is_refused() {
        let refused = |row: &str| read(row).unwrap_err().reason();
        assert_eq!(refused("public:2021-01-01=-1"), "AMOUNT_OUT_OF_RANGE");
        assert_eq!(refused("public:2021-01-01=0"), "AMOUNT_OUT_OF_RANGE");
        assert_eq!(refused("public:2021-01-01=100000001"), "AMOUNT_OUT_OF_RANGE");
        assert_eq!(refused("public:2021-01-01=50000.5"), "INVALID_AMOUNT_ROW");
        assert_eq!(refused("mixed:2021-01-01=1"), "INVALID_AMOUNT_ROW");
        assert_eq!(refused("private:974:2021-01-01=1"), "PRIVATE_NOT_RAISED");
    }
}
