//! What can go wrong inside a transaction: a refusal to tell the caller, or a database error that nobody outside may
//! read.

use conum_kernel::Error;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A refusal or a database error. `?` takes both.
#[derive(Debug)]
pub enum Failure {
    Refused(Error),
    Database(DbErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    /// Whether deciding again on fresh state may go well: a serialization failure, a deadlock, or a unique row that
    /// another transaction wrote first.
    #[must_use]
    pub fn is_race(&self) -> bool {
        let Self::Database(error) = self else { return false };
        if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return true;
        }
        sqlstate(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01"))
    }

    /// The error that the caller sees. What the database said goes to its context, for the log.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Database(DbErr::ConnectionAcquire(error)) => Error::unavailable(error),
            Self::Database(DbErr::Conn(error)) => Error::unavailable(error),
            Self::Database(error) => Error::internal(error),
        }
    }
}

fn sqlstate(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return None;
    };
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.into_error()
    }
}

impl From<Failure> for tonic::Status {
    fn from(failure: Failure) -> Self {
        crate::status::of(&failure.into_error())
    }
}
