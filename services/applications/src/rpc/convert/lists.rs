//! The lists of values: each of the domain's is the twin of one of the contract.

use conum_kernel::{Error, Result};
use conum_proto::applications::v1 as proto;
use conum_service::wire;

use crate::domain::{
    application::State,
    corrections::CorrectionState,
    documents::DocumentState,
    form::{Commitment, LinkedProgramme, Mission, NeedKind, StructureKind},
    past::Found,
    post::{DerogationState, PostState, Situation},
    waves::WaveState,
};

/// A value of a list that the contract has too.
pub trait Twin: Sized {
    /// Its number in the contract.
    fn to_wire(self) -> i32;

    /// The value of a number; nothing where it is unspecified or unknown.
    fn from_wire(number: i32) -> Option<Self>;

    /// A value that must be one of the list.
    ///
    /// # Errors
    /// `UNKNOWN_VALUE` at `field`.
    fn required(field: &str, number: i32) -> Result<Self, Error> {
        Self::from_wire(number).ok_or_else(|| wire::unknown_value(field))
    }

    /// A value that may be left out.
    ///
    /// # Errors
    /// `UNKNOWN_VALUE` at `field`.
    fn optional(field: &str, number: i32) -> Result<Option<Self>, Error> {
        if number == 0 { Ok(None) } else { Self::required(field, number).map(Some) }
    }
}

/// Declares twins: their values have the same names on both sides.
macro_rules! twins {
    ($($domain:ty, $wire:ty: $($name:ident)*;)*) => {
        $(
            impl Twin for $domain {
                fn to_wire(self) -> i32 {
                    match self { $(Self::$name => <$wire>::$name.into(),)* }
                }

                fn from_wire(number: i32) -> Option<Self> {
                    match <$wire>::try_from(number).ok()? {
                        $(<$wire>::$name => Some(Self::$name),)*
                        <$wire>::Unspecified => None,
                    }
                }
            }
        )*
    };
}

twins! {
    State, proto::application::State:
        Submitted Confirmed UnderExamination InformationRequested Granted Refused Withdrawn GivenBack;
    StructureKind, proto::StructureKind: LocalAuthority PublicBody Association Company Public Private;
    PostState, proto::post::State: Asked Granted ReturnAsked Returned Refused Removed;
    Situation, proto::existing_contract::Situation: PartTime Ending Experimental;
    DerogationState, proto::derogation::State: Asked Accepted Refused;
    Mission, proto::Mission:
        DigitalAutonomy EverydayUses OnlineProcedures CriticalCitizenship AgentsTraining Outreach CulturalAction Games
        LocalBusinesses PublicServiceDevelopment;
    Commitment, proto::Commitment:
        FreeForThePublic FullTime TimeForMeetingsAndTraining StateDress Equipment SelectionInTime
        FreeWithoutMembership;
    NeedKind, proto::need::Kind: Experience Qualification DrivingLicence;
    LinkedProgramme, proto::LinkedProgramme: ThirdPlace Fibre CulturalPlan FranceServices TerritorialHub;
    CorrectionState, proto::correction::State: Asked Accepted Refused;
    DocumentState, proto::supporting_document::State: Expected Uploaded Validated Rejected;
    WaveState, proto::wave::State: Open Decided Activated;
    Found, proto::record_past_grant_response::Outcome: Created Merged Unchanged;
}
