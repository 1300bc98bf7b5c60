//! Records for the tests, with sane defaults: a town of the Rhône that applies on [`APPLIED`] for posts that start in
//! April 2021, and what becomes of its application, step by step.

use conum_kernel::{
    Moment,
    clock::start_of_day,
    id::{Entity, Id},
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    Application, Desk, Programme, Settings, Wave, amendments,
    changes::Inputs,
    confirmation::{self, Token},
    examination::{self, RecordOpinion},
    form::{Commitment, Contact, Form, LineManager, Location, Mission, Need, NeedKind, Place, Profile, StructureKind},
    grants::{self, Selection},
    past::RecordPastGrant,
    post::{Derogation, DerogationState, ExistingContract, Ground, PostForm},
    releases,
    submission::{self, Submit},
    waves,
};

/// The day of the application.
pub(super) const APPLIED: &str = "2021-01-04";

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// The beginning of a day.
pub(super) fn moment(day: &str) -> Moment {
    Moment::at(start_of_day(date(day)))
}

pub(super) fn id<T: Entity>(number: u128) -> Id<T> {
    Id::from_uuid(Uuid::from_u128(number))
}

pub(super) fn settings() -> Settings {
    Settings::on(date(APPLIED), |_| &[]).unwrap()
}

pub(super) fn token() -> Token {
    Token::new("the-secret-of-the-link")
}

pub(super) fn place() -> Place {
    Place {
        commune: "69259".into(),
        commune_name: "Vénissieux".into(),
        department: "69".into(),
        location: Some(Location { latitude: 45.7, longitude: 4.88 }),
    }
}

pub(super) fn form() -> Form {
    Form {
        profile: Profile {
            registration_number: Some("21690259300013".into()),
            legal_name: "Commune d'exemple".into(),
            kind: Some(StructureKind::LocalAuthority),
            place: Some(place()),
            address: "1 place de la Mairie".into(),
        },
        contact: Some(Contact {
            given_name: "Ada".into(),
            family_name: "Lovelace".into(),
            function: "Directrice".into(),
            email: "ada@exemple.fr".into(),
            phone: String::new(),
        }),
        line_manager: Some(LineManager { function: "Responsable de la médiathèque".into(), volunteer: false }),
        missions: vec![Mission::DigitalAutonomy, Mission::OnlineProcedures, Mission::Outreach],
        in_frequented_places: true,
        commitments: Commitment::ALL.to_vec(),
        commitments_version: "2020-11".into(),
        needs: vec![Need { kind: NeedKind::Experience, compulsory: false }],
        candidate_found: false,
        linked_programmes: Vec::new(),
    }
}

/// A new post with this id, from 1 April 2021.
pub(super) fn post(number: u128) -> PostForm {
    PostForm {
        id: id(number),
        named: false,
        wished_start_date: Some(date("2021-04-01")),
        coordinator: false,
        counts_for_france_services: false,
        existing_contract: None,
    }
}

/// A contract of somebody who already does this work, without any ground for a derogation.
pub(super) fn contract(signed_on: &str, start_date: &str) -> ExistingContract {
    ExistingContract {
        signed_on: Some(date(signed_on)),
        start_date: Some(date(start_date)),
        situation: None,
        moves_to_full_time: false,
    }
}

/// The special examination of a coordinator's post.
pub(super) fn coordinator(state: DerogationState) -> Derogation {
    Derogation { state, ..Derogation::asked(vec![Ground::Coordinator]) }
}

/// An application for so many posts, with ids from 1.
pub(super) fn submit(posts: usize) -> Submit {
    Submit {
        application: id(1),
        structure: id(1),
        form: form(),
        posts: (1..=posts).map(|number| post(number as u128)).collect(),
        token: token(),
        active: None,
        partner_of: None,
    }
}

/// What a correction needs, for the structure of [`submit`].
pub(super) fn inputs() -> Inputs {
    Inputs {
        actor: "structure".into(),
        structure: id(1),
        active: None,
        token: Token::new("another"),
        desk: Desk::Open,
        waves: Vec::new(),
    }
}

pub(super) fn wave(number: u32) -> Wave {
    waves::open(id(u128::from(number)), number, Some(date("2021-03-10"))).unwrap().state
}

/// A line of a file of the past, for the structure of [`form`]: nothing is known of it but public.
pub(super) fn past_line(source: u128, posts: u128) -> RecordPastGrant {
    RecordPastGrant {
        application: id(500),
        structure: id(500),
        posts: (0..posts).map(|post| id(1000 * source + post)).collect(),
        profile: Profile { kind: Some(StructureKind::Public), ..form().profile },
        source_id: format!("file/{source}"),
        warnings: Vec::new(),
    }
}

/// An application, the programme and a wave that is open.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) application: Application,
    pub(super) programme: Programme,
    pub(super) wave: Wave,
}

pub(super) fn submitted(posts: usize) -> Story {
    let outcome = submission::submit(submit(posts), Desk::Open, &settings(), moment(APPLIED)).unwrap();
    Story { application: outcome.state, programme: Programme { cap: 4000, granted: 0 }, wave: wave(1) }
}

pub(super) fn confirmed(posts: usize) -> Story {
    let story = submitted(posts);
    let application = confirmation::confirm(story.application, &token(), moment("2021-01-05")).unwrap().state;
    Story { application, ..story }
}

pub(super) fn examined(posts: usize) -> Story {
    let story = confirmed(posts);
    let opinion = RecordOpinion { favourable: true, comment: String::new(), actor: "prefect".into() };
    let application = examination::record_opinion(story.application, opinion, moment("2021-02-01")).unwrap().state;
    Story { application, ..story }
}

/// All its posts granted on 10 March 2021.
pub(super) fn granted(posts: usize) -> Story {
    granted_in(wave(1), posts)
}

pub(super) fn granted_in(wave: Wave, posts: usize) -> Story {
    let Story { application, programme, .. } = examined(posts);
    let at = moment("2021-03-10");
    let (application, programme) =
        grants::grant(application, programme, &wave, &Selection::All, &settings(), at).unwrap().state;
    Story { application, programme, wave }
}

/// All its posts granted, then given back and released.
pub(super) fn given_back(posts: usize) -> Story {
    let Story { application, mut programme, wave } = granted(posts);
    let mut application = amendments::return_posts(application, &[], "").unwrap().state;
    for post in application.posts.clone() {
        (application, programme) = releases::released(application, programme, post.id).unwrap().state;
    }
    Story { application, programme, wave }
}
