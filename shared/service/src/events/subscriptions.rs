//! Who listens to what: the whole programme on one page. A relay sends a service only what stands here.

use conum_proto::events::v1::event::Payload;

/// The services that listen, with the events that they want.
const SUBSCRIPTIONS: &[(&str, &[&str])] = &[
    (
        "applications",
        &[
            "CandidateIntroduced",
            "IntroductionReminded",
            "IntroductionClosed",
            "PostReleased",
            "PostReleaseRefused",
            "CandidatesShort",
            "SignatureLate",
            "ContractSigned",
            "TrainingPlanned",
            "TrainingUnplanned",
            "TrainingCompleted",
            "ConventionSigned",
            "InstalmentHeld",
            "InstalmentPaid",
            "GrantSuspended",
            "ClaimRaised",
            "GrantEnding",
            "FollowUpRequested",
        ],
    ),
    (
        "candidates",
        &[
            "CandidateIntroduced",
            "IntroductionAnswered",
            "IntroductionClosed",
            "CandidateSelected",
            "SelectionCancelled",
            "ContractSigned",
            "ContractEnded",
            "CandidateLeaveRefused",
            "DerogationDecided",
            "TrainingOpened",
            "TrainingPlanned",
            "TrainingUnplanned",
            "CertificationRecorded",
            "TrainingCompleted",
            "TrainingStopped",
        ],
    ),
    (
        "matching",
        &[
            "PostsGranted",
            "PostsReturned",
            "WaveActivated",
            "ApplicationWithdrawn",
            "PostDateSettled",
            "CandidateRegistered",
            "CandidateChanged",
            "CandidateMerged",
            "CandidateLeft",
            "CandidateErased",
            "TrainingPlanned",
            "TrainingUnplanned",
            "TrainingCompleted",
            "TrainingStopped",
        ],
    ),
    (
        "training",
        &[
            "PostsGranted",
            "CandidateRegistered",
            "CandidateChanged",
            "CandidateMerged",
            "CandidateErased",
            "CandidateSelected",
            "SelectionCancelled",
            "ContractSigned",
            "ContractEnded",
        ],
    ),
    (
        "finance",
        &["PostsGranted", "DossierCompleted", "DossierReopened", "PostReleased", "ContractSigned", "ContractEnded"],
    ),
];

/// The services that want an event of this kind.
pub fn subscribers(kind: &str) -> impl Iterator<Item = &'static str> {
    SUBSCRIPTIONS.iter().filter(move |(_, kinds)| kinds.contains(&kind)).map(|(subscriber, _)| *subscriber)
}

/// The services that listen to anything at all.
pub fn all() -> impl Iterator<Item = &'static str> {
    SUBSCRIPTIONS.iter().map(|(subscriber, _)| *subscriber)
}

/// Whether a service wants an event of this kind.
#[must_use]
pub fn wants(subscriber: &str, kind: &str) -> bool {
    subscribers(kind).any(|wanting| wanting == subscriber)
}

/// The kind of an event: its message's name in the contract.
#[must_use]
pub fn kind(payload: &Payload) -> &'static str {
    match payload {
        Payload::ApplicationSubmitted(_) => "ApplicationSubmitted",
        Payload::PostsGranted(_) => "PostsGranted",
        Payload::PostsReturned(_) => "PostsReturned",
        Payload::WaveActivated(_) => "WaveActivated",
        Payload::DossierCompleted(_) => "DossierCompleted",
        Payload::DossierReopened(_) => "DossierReopened",
        Payload::ApplicationWithdrawn(_) => "ApplicationWithdrawn",
        Payload::PostDateSettled(_) => "PostDateSettled",
        Payload::DerogationDecided(_) => "DerogationDecided",
        Payload::CandidateRegistered(_) => "CandidateRegistered",
        Payload::CandidateChanged(_) => "CandidateChanged",
        Payload::CandidateMerged(_) => "CandidateMerged",
        Payload::CandidateLeft(_) => "CandidateLeft",
        Payload::CandidateErased(_) => "CandidateErased",
        Payload::CandidateIntroduced(_) => "CandidateIntroduced",
        Payload::IntroductionAnswered(_) => "IntroductionAnswered",
        Payload::IntroductionClosed(_) => "IntroductionClosed",
        Payload::IntroductionReminded(_) => "IntroductionReminded",
        Payload::CandidateSelected(_) => "CandidateSelected",
        Payload::SelectionCancelled(_) => "SelectionCancelled",
        Payload::ContractSigned(_) => "ContractSigned",
        Payload::ContractEnded(_) => "ContractEnded",
        Payload::PostReleased(_) => "PostReleased",
        Payload::PostReleaseRefused(_) => "PostReleaseRefused",
        Payload::CandidatesShort(_) => "CandidatesShort",
        Payload::SignatureLate(_) => "SignatureLate",
        Payload::CandidateLeaveRefused(_) => "CandidateLeaveRefused",
        Payload::TrainingOpened(_) => "TrainingOpened",
        Payload::TrainingPlanned(_) => "TrainingPlanned",
        Payload::TrainingUnplanned(_) => "TrainingUnplanned",
        Payload::TrainingCompleted(_) => "TrainingCompleted",
        Payload::CertificationRecorded(_) => "CertificationRecorded",
        Payload::TrainingStopped(_) => "TrainingStopped",
        Payload::ConventionSigned(_) => "ConventionSigned",
        Payload::InstalmentHeld(_) => "InstalmentHeld",
        Payload::InstalmentPaid(_) => "InstalmentPaid",
        Payload::GrantSuspended(_) => "GrantSuspended",
        Payload::ClaimRaised(_) => "ClaimRaised",
        Payload::GrantEnding(_) => "GrantEnding",
        Payload::FollowUpRequested(_) => "FollowUpRequested",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subscription_names_an_event_of_the_contract() {
        let pool = crate::access::pool();
        let event = pool.get_message_by_name("conum.events.v1.Event").unwrap();
        for (subscriber, kinds) in SUBSCRIPTIONS {
            for kind in *kinds {
                let known = event.fields().any(|field| field.kind().as_message().is_some_and(|m| m.name() == *kind));
                assert!(known, "{subscriber} listens to {kind}, which no contract has");
            }
        }
    }
}
