//! Bringing introductions to structures, and structures to people who have become free (M02, M04, M05).

use std::collections::{HashMap, HashSet};

use conum_geo::{Place, distance_m};
use conum_kernel::{CandidateId, Fact, Id, IntroductionId, Rule, StructureId};
use conum_proto::events::v1::{CandidateIntroduced, CandidatesShort, event::Payload};
use conum_service::{Call, Failure, Tx, history, sql::Script, wire};
use jiff::civil::Date;

use super::{answering, tell, told};
use crate::{
    domain::{
        assignment::{Proposal, assign, best, best_seat},
        candidate::Candidate,
        eligibility::possible,
        introduction::{CloseReason, State, end_of_delay},
        order::Terms,
        policies::Settings,
        serving::{Serve, serve},
        structure::{Seat, Structure},
        verification::{Violation, sound, verify},
    },
    storage::{
        candidates::{self, Among},
        introductions::{self, Introduction},
        notices,
        structures::{self, Stored},
    },
};

/// Gives a structure what its posts ask for: brings what it lacks, or closes all when no vacant post is left.
/// `replaces` is the introduction whose end made the place.
///
/// # Errors
/// The database's.
pub async fn structure(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    id: StructureId,
    replaces: Option<IntroductionId>,
) -> Result<(), Failure> {
    let Some(stored) = structures::lock(tx, id).await? else { return Ok(()) };
    let posts = structures::posts_of(tx, id).await?;
    let live = introductions::live_of_structure(tx, id).await?;
    let (counts, needed_by) = structures::demand(&posts);
    match (serve(counts, live.len(), settings.live_per_structure), needed_by) {
        (Serve::Fill(places), Some(needed_by)) => {
            let called = stored.called;
            let seat = Seat { structure: stored.structure.clone(), needed_by, places, called };
            let brought = fill(tx, call, settings, seat, replaces).await?;
            note_shortage(tx, call, &stored, brought < places, live.len() + brought).await
        }
        (Serve::Close, _) => {
            let all_back = posts.iter().all(|post| post.given_back);
            let reason = if all_back { CloseReason::Withdrawn } else { CloseReason::PostsFilled };
            note_shortage(tx, call, &stored, false, 0).await?;
            let mut freed = Vec::new();
            for introduction in live {
                freed.push(introduction.candidate);
                answering::close(tx, call, introduction, reason).await?;
            }
            for candidate in freed {
                Box::pin(self::candidate(tx, call, settings, candidate)).await?;
            }
            Ok(())
        }
        _ => note_shortage(tx, call, &stored, false, live.len()).await,
    }
}

/// Brings up to `seat.places` introductions; answers how many there were.
async fn fill(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    mut seat: Seat,
    mut replaces: Option<IntroductionId>,
) -> Result<usize, Failure> {
    let mut brought = 0;
    while brought < seat.places {
        let Some(proposal) = search(tx, settings, &seat, call.moment.today).await? else { break };
        // Another replica may have taken the last place meanwhile: search again.
        if candidates::take_place(tx, proposal.candidate, settings.live_per_candidate).await? {
            seat.called.all += 1;
            seat.called.reserved += u64::from(proposal.reserved);
            introduce(tx, call, settings, &seat.structure, proposal, replaces.take()).await?;
            brought += 1;
        }
    }
    Ok(brought)
}

/// The best candidate for one place; one of the group that a share is kept for, where it is due and somebody is left.
async fn search(tx: &Tx, settings: &Settings, seat: &Seat, today: Date) -> Result<Option<Proposal>, Failure> {
    let (terms, limit) = (settings.terms(today), settings.live_per_candidate);
    if terms.reserve.is_due(seat.called) {
        let group = Among { limit, job_seekers_since: Some(terms.reserve.latest(today)) };
        if let Some(proposal) = search_among(tx, group, seat, terms).await? {
            return Ok(Some(proposal));
        }
    }
    search_among(tx, Among { limit, job_seekers_since: None }, seat, terms).await
}

/// The best of some: in rings, and of each the nearest first, so that nobody further than needed is looked at. Nothing
/// weighs less than distance, so that nobody beyond what somebody costs can be better.
async fn search_among(tx: &Tx, among: Among, seat: &Seat, terms: Terms) -> Result<Option<Proposal>, Failure> {
    let mut people = Vec::new();
    if let Some(place) = seat.structure.place {
        for km in candidates::RINGS {
            let mut most = NEAREST;
            loop {
                people = candidates::around(tx, seat, place, km, among, most).await?;
                let whole = people.len() < most;
                if let Some((cost, proposal)) = best(seat, &people, terms)
                    && metres(cost) <= km * 1000.0
                    && (whole || nobody_nearer(place, people.last(), metres(cost)))
                {
                    return Ok(Some(proposal));
                }
                if whole {
                    break;
                }
                most = most.saturating_mul(8);
            }
        }
    }
    people.extend(candidates::beyond(tx, seat, among).await?);
    Ok(best(seat, &people, terms).map(|(_, proposal)| proposal))
}

#[expect(clippy::cast_precision_loss, reason = "metres are far below 2^52")]
fn metres(cost: u64) -> f64 {
    cost as f64
}

/// How many people a search reads at first.
const NEAREST: usize = 12;
/// How much the order of a flat map and that of great circles may differ within the widest ring: the cosine of a latitude
/// changes by less than 3 % over 100 km where people live.
const FLAT_MAP: f64 = 1.03;

/// Whether nobody who was not read can come before somebody at this distance. Those who were read are the first on a flat
/// map; of one place, the earliest registered.
fn nobody_nearer(place: Place, last: Option<&Candidate>, metres: f64) -> bool {
    let furthest = last.and_then(|last| last.place).map_or(0, |last| distance_m(place, last));
    metres <= 0.0 || metres * FLAT_MAP < f64::from(furthest)
}

/// Notes that a structure lacks people (M04), or no longer does. It is told once each time that it begins.
async fn note_shortage(tx: &Tx, call: &Call, stored: &Stored, short: bool, live: usize) -> Result<(), Failure> {
    if stored.short == short {
        return Ok(());
    }
    let Structure { id, application, .. } = stored.structure;
    structures::set_short(tx, id, short).await?;
    if !short {
        return Ok(());
    }
    notices::raise(tx, call, id, application, notices::Kind::CandidatesShort, live).await?;
    let payload = CandidatesShort {
        structure: id.name(),
        application: application.name(),
        live: i32::try_from(live).unwrap_or(i32::MAX),
    };
    tell(tx, call, &id.name(), Payload::CandidatesShort(payload)).await
}

/// Writes an introduction whose candidate's place is taken already.
async fn introduce(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    structure: &Structure,
    proposal: Proposal,
    replaces: Option<IntroductionId>,
) -> Result<(), Failure> {
    let Proposal { candidate, reserved, reasons, .. } = proposal;
    let introduction = Introduction {
        id: call.mint(&format!("{}/{candidate}", structure.id)),
        structure: structure.id,
        application: structure.application,
        candidate,
        state: State::Proposed,
        close_reason: None,
        introduced_at: call.moment.now,
        remind_at: Some(end_of_delay(call.moment, settings.reminder_days)),
        reminded_at: None,
        expires_at: end_of_delay(call.moment, settings.expiry_days),
        ended_at: None,
        replaces,
        version: 1,
        reasons,
    };
    let name = introduction.id.name();
    let why = replaces.map(|id| id.to_string()).unwrap_or_default();
    let mut script = Script::default();
    candidates::pair(&mut script, structure.id, candidate);
    introductions::add(&mut script, &introduction)?;
    structures::call(&mut script, structure.id, reserved, call.moment.today);
    history::add(
        &mut script,
        call,
        &name,
        &[Fact { action: "INTRODUCE", from: "", to: "PROPOSED", why, rule: Some(Rule("M02")) }],
    );
    let payload = CandidateIntroduced {
        introduction: name.clone(),
        structure: structure.id.name(),
        application: structure.application.name(),
        candidate: candidate.name(),
        replaces: replaces.map(Id::name).unwrap_or_default(),
        distance_m: introduction.reasons.distance_m.map_or(-1, i64::from),
        expires_at: Some(wire::from_timestamp(introduction.expires_at)),
    };
    told(&mut script, call, &name, Payload::CandidateIntroduced(payload));
    Ok(script.run(tx).await?)
}

/// Brings somebody who has room to the structures that wait for a possible candidate, the nearest first.
///
/// # Errors
/// The database's.
pub async fn candidate(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    let Some(person) = candidates::find(tx, id).await? else { return Ok(()) };
    if person.gone || person.taken || !person.candidate.eligible {
        return Ok(());
    }
    let mut room = settings.live_per_candidate.saturating_sub(person.live);
    if room == 0 {
        return Ok(());
    }
    let mut seats = Vec::new();
    for stored in structures::short(tx).await? {
        let posts = structures::posts_of(tx, stored.structure.id).await?;
        if let (_, Some(needed_by)) = structures::demand(&posts) {
            let seat = Seat { structure: stored.structure, needed_by, places: 1, called: stored.called };
            let possible = possible(&person.candidate, &seat, call.moment.today).is_ok();
            if possible && !candidates::was_introduced(tx, seat.structure.id, id).await? {
                seats.push(seat);
            }
        }
    }
    while room > 0 {
        let terms = settings.terms(call.moment.today);
        let Some((seat, proposal)) = best_seat(&person.candidate, &seats, terms) else { return Ok(()) };
        let seat = seat.clone();
        seats.retain(|other| other.structure.id != seat.structure.id);
        if !candidates::take_place(tx, id, settings.live_per_candidate).await? {
            return Ok(());
        }
        introduce(tx, call, settings, &seat.structure, proposal, None).await?;
        room -= 1;
        // The structure may lack more: what is left of its shortage is decided under its lock.
        settle_shortage(tx, call, settings, seat.structure.id).await?;
    }
    Ok(())
}

/// Ends a structure's shortage where it has all that it should have.
async fn settle_shortage(tx: &Tx, call: &Call, settings: &Settings, id: StructureId) -> Result<(), Failure> {
    let Some(stored) = structures::lock(tx, id).await? else { return Ok(()) };
    let live = introductions::live_of_structure(tx, id).await?.len();
    let (counts, _) = structures::demand(&structures::posts_of(tx, id).await?);
    let short = matches!(serve(counts, live, settings.live_per_structure), Serve::Fill(_));
    note_shortage(tx, call, &stored, short, live).await
}

/// Serves all structures of a wave at once (P03).
///
/// # Errors
/// The database's.
pub async fn wave(tx: &Tx, call: &Call, settings: &Settings, mut ids: Vec<StructureId>) -> Result<(), Failure> {
    ids.sort_unstable();
    ids.dedup();
    let mut seats = Vec::new();
    let mut served = Vec::new();
    for id in ids {
        let Some(stored) = structures::lock(tx, id).await? else { continue };
        if stored.structure.candidate_found {
            // Somebody was found already: the recruitment begins with the activation (M07).
            let mut script = Script::default();
            structures::launch(&mut script, id, call.moment.today);
            script.run(tx).await?;
        }
        let (counts, needed_by) = structures::demand(&structures::posts_of(tx, id).await?);
        let live = introductions::live_of_structure(tx, id).await?.len();
        if let (Serve::Fill(places), Some(needed_by)) = (serve(counts, live, settings.live_per_structure), needed_by) {
            seats.push(Seat { structure: stored.structure.clone(), needed_by, places, called: stored.called });
            served.push((stored, live, places));
        }
    }
    let people = candidates::with_room(tx, settings.live_per_candidate).await?;
    let structures: Vec<_> = seats.iter().map(|seat| seat.structure.id).collect();
    let introduced: HashSet<_> = candidates::pairs(tx, &structures).await?.into_iter().collect();
    let terms = settings.terms(call.moment.today);
    let proposals = assign(&seats, &people, &introduced, terms);
    let violations = verify(&seats, &people, &introduced, terms, &proposals);
    let (proposals, stopped) = sound(proposals, &violations);
    for Violation { wrong, structure, candidate } in violations {
        let (structure, candidate) = (structure.name(), candidate.name());
        tracing::error!(?wrong, structure, candidate, "a wave's proposals do not stand: their group is stopped");
    }
    let mut proposals = by_structure(proposals);
    for (stored, live, places) in served {
        let id = stored.structure.id;
        if stopped.binary_search(&id).is_ok() {
            // It waits: whoever becomes free is brought to it.
            structures::set_short(tx, id, true).await?;
            let application = stored.structure.application;
            notices::raise(tx, call, id, application, notices::Kind::AssignmentStopped, live).await?;
            continue;
        }
        let mut brought = 0;
        for proposal in proposals.remove(&id).unwrap_or_default() {
            if candidates::take_place(tx, proposal.candidate, settings.live_per_candidate).await? {
                introduce(tx, call, settings, &stored.structure, proposal, None).await?;
                brought += 1;
            }
        }
        note_shortage(tx, call, &stored, brought < places, live + brought).await?;
    }
    Ok(())
}

fn by_structure(proposals: Vec<Proposal>) -> HashMap<StructureId, Vec<Proposal>> {
    let mut by_structure: HashMap<StructureId, Vec<Proposal>> = HashMap::new();
    for proposal in proposals {
        by_structure.entry(proposal.structure).or_default().push(proposal);
    }
    by_structure
}
