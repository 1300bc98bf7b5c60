//! Whatever happens to two applications under one small cap, in whatever order: the cap holds and counts right (P01),
//! and nothing leaves the tables of the state machines.

use conum_kernel::{Fact, Machine, PostId};
use proptest::prelude::*;

use super::{
    Application, Desk, Programme, State, amendments,
    changes::Change,
    confirmation, corrections,
    examination::{self, RecordOpinion},
    examples::{self, id, moment, settings},
    form::Field,
    grants::{self, Selection},
    past,
    post::{PostForm, PostState},
    releases, submission, waves, withdrawal,
};

const DAY: &str = "2021-01-10";

/// Something that happens to one of the applications; `usize` picks a post.
#[derive(Clone, Debug)]
enum Happening {
    Confirm,
    Opinion,
    Ask,
    Answer,
    Refuse,
    Grant(u32),
    RecordPast(u8),
    Add(u8),
    Correct,
    Return(usize),
    ReturnAll,
    Release(usize),
    RefuseRelease(usize),
    Withdraw,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Confirm),
        3 => Just(Happening::Opinion),
        1 => Just(Happening::Ask),
        1 => Just(Happening::Answer),
        1 => Just(Happening::Refuse),
        6 => (0_u32..4).prop_map(Happening::Grant),
        2 => (1_u8..3).prop_map(Happening::RecordPast),
        3 => (1_u8..3).prop_map(Happening::Add),
        1 => Just(Happening::Correct),
        3 => (0_usize..8).prop_map(Happening::Return),
        1 => Just(Happening::ReturnAll),
        6 => (0_usize..8).prop_map(Happening::Release),
        3 => (0_usize..8).prop_map(Happening::RefuseRelease),
        1 => Just(Happening::Withdraw),
    ]
}

/// The programme, the applications, and a source of new numbers.
struct World {
    programme: Programme,
    applications: [Application; 2],
    next: u128,
}

impl World {
    fn new(cap: u32) -> Self {
        let application = |number: u128| {
            let mut command = examples::submit(3);
            command.application = id(number);
            let posts = command.posts.iter_mut().zip(100 * number..);
            posts.for_each(|(post, number)| post.id = id(number));
            submission::submit(command, Desk::Open, &settings(), moment(examples::APPLIED)).unwrap().state
        };
        Self { programme: Programme { cap, granted: 0 }, applications: [application(1), application(2)], next: 1000 }
    }

    fn post(application: &Application, pick: usize) -> PostId {
        application.posts[pick % application.posts.len()].id
    }

    fn new_posts(&mut self, count: u8) -> Vec<PostForm> {
        (0..count)
            .map(|_| {
                self.next += 1;
                examples::post(self.next)
            })
            .collect()
    }

    /// Lets it happen where the rules allow it. Gives the facts.
    fn happens(&mut self, which: usize, happening: &Happening) -> Vec<Fact> {
        let before = self.applications[which].clone();
        let at = moment(DAY);
        let desk = self.programme.desk(settings().closing_date, at.today);
        let alone = |result: conum_kernel::Result<super::Outcome>| {
            result.ok().map(|outcome| (outcome.state, None, outcome.facts))
        };
        let with_cap = |result: conum_kernel::Result<super::CapOutcome>| {
            result.ok().map(|outcome| (outcome.state.0, Some(outcome.state.1), outcome.facts))
        };
        let changed = match happening {
            Happening::Confirm => alone(confirmation::confirm(before.clone(), &examples::token(), at)),
            Happening::Opinion => {
                let opinion = RecordOpinion { favourable: true, comment: String::new(), actor: String::new() };
                alone(examination::record_opinion(before.clone(), opinion, at))
            }
            Happening::Ask => alone(examination::request_information(before.clone(), "?", at)),
            Happening::Answer => alone(examination::provide_information(before.clone(), "!", at)),
            Happening::Refuse => alone(examination::refuse(before.clone(), "Non")),
            Happening::Grant(count) => {
                let selection = if *count == 0 { Selection::All } else { Selection::Earliest(*count) };
                let wave = examples::wave(1);
                with_cap(grants::grant(before.clone(), self.programme, &wave, &selection, &settings(), at))
            }
            Happening::RecordPast(count) => {
                self.next += 10;
                let line = examples::past_line(self.next, u128::from(*count));
                let wave = waves::of_the_past(id(9), 9, at.today).state;
                let known = past::Known { application: before.clone(), waves: Vec::new() };
                let recorded = past::record(Some(known), self.programme, &wave, line, &settings(), at);
                with_cap(recorded.map(|recorded| recorded.outcome))
            }
            Happening::Add(count) => {
                let posts = self.new_posts(*count);
                alone(amendments::add_posts(before.clone(), &posts, desk, at))
            }
            Happening::Correct => {
                let posts = self.new_posts(2);
                let change = Change { form: examples::form(), posts, fields: vec![Field::Posts] };
                let corrected = corrections::correct(before.clone(), &change, &examples::inputs(), &settings(), at);
                alone(corrected.map(|corrected| corrected.outcome))
            }
            Happening::Return(pick) => {
                alone(amendments::return_posts(before.clone(), &[Self::post(&before, *pick)], ""))
            }
            Happening::ReturnAll => alone(amendments::return_posts(before.clone(), &[], "")),
            Happening::Release(pick) => {
                let post = Self::post(&before, *pick);
                with_cap(releases::released(before.clone(), self.programme, post))
            }
            Happening::RefuseRelease(pick) => {
                alone(releases::release_refused(before.clone(), Self::post(&before, *pick)))
            }
            Happening::Withdraw => alone(withdrawal::withdraw(before.clone(), "", at)),
        };
        let Some((application, programme, facts)) = changed else { return Vec::new() };
        self.applications[which] = application;
        self.programme = programme.unwrap_or(self.programme);
        facts
    }
}

/// Whether the facts are steps of a table, one after the other from a state to another.
fn follows<M: Machine>(from: M, to: M, facts: &[Fact]) -> bool {
    let mut state = from.name();
    for fact in facts.iter().filter(|fact| fact.from != fact.to) {
        let row = M::TABLE.iter().any(|(before, action, after)| {
            (before.name(), M::action_name(*action), after.name()) == (fact.from, fact.action, fact.to)
        });
        if !row || fact.from != state {
            return false;
        }
        state = fact.to;
    }
    state == to.name()
}

fn check_world(world: &World) -> Result<(), TestCaseError> {
    let Programme { cap, granted } = world.programme;
    prop_assert!(granted <= cap);
    let counted: usize = world.applications.iter().map(Application::counted_posts).sum();
    prop_assert_eq!(usize::try_from(granted), Ok(counted));
    for application in &world.applications {
        let live = application.counted_posts() > 0;
        prop_assert_eq!(application.state == State::Granted, live, "{:?}", application.state);
        let asked = application.posts_in(PostState::Asked).count();
        prop_assert!(application.is_active() || asked == 0);
        prop_assert!(application.state != State::GivenBack || asked == 0);
    }
    Ok(())
}

fn check_step(before: &Application, after: &Application, facts: &[Fact]) -> Result<(), TestCaseError> {
    let of_posts = |fact: &&Fact| before.posts.iter().chain(&after.posts).any(|post| post.id.to_string() == fact.why);
    let of_application: Vec<_> = facts.iter().filter(|fact| !of_posts(fact)).cloned().collect();
    prop_assert!(follows(before.state, after.state, &of_application), "{:?}", facts);
    for post in &before.posts {
        let now = after.post(post.id).map(|post| post.state);
        let facts: Vec<_> = facts.iter().filter(|fact| fact.why == post.id.to_string()).cloned().collect();
        prop_assert!(now.is_some_and(|now| follows(post.state, now, &facts)), "{:?}", facts);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p01_a19_the_cap_holds_and_counts_the_posts_that_are_held(
        cap in 0_u32..8,
        happenings in prop::collection::vec((0_usize..2, happening()), 1..60),
    ) {
        let mut world = World::new(cap);
        for which in 0..2 {
            world.happens(which, &Happening::Confirm);
            world.happens(which, &Happening::Opinion);
        }
        for (which, happening) in happenings {
            let before = world.applications[which].clone();
            let facts = world.happens(which, &happening);
            check_step(&before, &world.applications[which], &facts)?;
            check_world(&world)?;
        }
    }
}
