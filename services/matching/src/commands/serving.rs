//! Bringing introductions to structures, and structures to people who have become free (M02, M04, M05).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use conum_geo::{Place, distance_m, resolve};
use conum_kernel::{CandidateId, Fact, Id, IntroductionId, Rule, StructureId};
use conum_proto::events::v1::{CandidateIntroduced, CandidatesShort, event::Payload};
use conum_service::{Call, Failure, Tx, history, metrics, sql::Script, wire};

use super::{answering, tell, told};
use crate::{
    domain::{
        assignment::{Available, Introduced, Proposal, assign, first, replace},
        eligibility::possible,
        introduction::{CloseReason, State, end_of_delay},
        order::{Order, Terms},
        policies::Settings,
        serving::{Serve, serve as asked},
        structure::{Seat, Structure},
        verification::{Live, Violation, sound, verify},
    },
    storage::{
        candidates::{self, Among, Around},
        introductions::{self, Introduction},
        limits::{self, Limits},
        notices,
        structures::{self, Post, Stored},
    },
};

/// What a command has changed of places and room: it is served once all of it is written, so that nobody is passed over
/// for what comes first in it.
#[derive(Debug, Default)]
pub struct Freed {
    /// Structures that may lack introductions, each with those whose end made places.
    structures: BTreeMap<StructureId, Vec<IntroductionId>>,
    /// People who may have room.
    people: BTreeSet<CandidateId>,
}

impl Freed {
    /// Notes that a structure may lack introductions.
    pub fn structure(&mut self, id: StructureId) {
        self.structures.entry(id).or_default();
    }

    /// Notes that somebody may have room.
    pub fn person(&mut self, id: CandidateId) {
        self.people.insert(id);
    }

    /// Notes both sides of an introduction that has ended.
    pub fn introduction(&mut self, ended: &Introduction) {
        self.structures.entry(ended.structure).or_default().push(ended.id);
        self.people.insert(ended.candidate);
    }
}

/// A structure that lacks introductions.
#[derive(Debug)]
struct Lacking {
    stored: Stored,
    /// What it lacks still.
    seat: Seat,
    live: usize,
    /// The introductions whose end made places.
    ended: VecDeque<IntroductionId>,
    /// It lacked before, for want of possible people: only those who are free now can be for it.
    waits: bool,
}

/// A structure under its lock, and what its posts ask for.
struct Seen {
    stored: Stored,
    posts: Vec<Post>,
    live: usize,
    /// The introductions that it lacks.
    seat: Option<Seat>,
    /// All that are live close.
    closes: bool,
}

async fn see(tx: &Tx, settings: &Settings, id: StructureId) -> Result<Option<Seen>, Failure> {
    let Some(stored) = structures::lock(tx, id).await? else { return Ok(None) };
    let posts = structures::posts_of(tx, id).await?;
    let live = introductions::live_count(tx, id).await?;
    let (counts, needed_by) = structures::demand(&posts);
    let asked = asked(counts, live, settings.live_per_structure);
    let seat = match (asked, needed_by) {
        (Serve::Fill(places), Some(needed_by)) => {
            Some(Seat { structure: stored.structure.clone(), needed_by, places, called: stored.called })
        }
        _ => None,
    };
    Ok(Some(Seen { stored, posts, live, seat, closes: asked == Serve::Close }))
}

/// Gives structures what their posts ask for: brings what they lack, or closes all when no vacant post is left; and brings
/// people who have become free to the structures that wait. Those who have become available since arrive with them.
///
/// # Errors
/// The database's.
pub async fn serve(tx: &Tx, call: &Call, settings: &Settings, mut freed: Freed) -> Result<(), Failure> {
    let mut lacking = Vec::new();
    for (id, ended) in std::mem::take(&mut freed.structures) {
        let Some(Seen { stored, posts, live, seat, closes }) = see(tx, settings, id).await? else { continue };
        if let Some(seat) = seat {
            lacking.push(Lacking { stored, seat, live, ended: ended.into(), waits: false });
            continue;
        }
        note_shortage(tx, call, &stored, false, live).await?;
        if closes {
            let all_back = posts.iter().all(|post| post.given_back);
            let reason = if all_back { CloseReason::Withdrawn } else { CloseReason::PostsFilled };
            for introduction in introductions::live_of_structure(tx, id).await? {
                answering::close(tx, call, introduction, reason, &mut freed).await?;
            }
        }
    }
    for id in candidates::arrived(tx, call.moment.today, ARRIVALS).await? {
        candidates::set_arrived(tx, id).await?;
        freed.person(id);
    }
    let mut people = free(tx, settings, &freed.people).await?;
    waiting(tx, call, settings, &people, &mut lacking).await?;
    loop {
        let proposals = propose(tx, call, settings, &people, &lacking).await?;
        // Other commands run meanwhile, on PostgreSQL.
        if bring(tx, call, settings, proposals, &mut lacking).await? {
            break;
        }
        people = free(tx, settings, &freed.people).await?;
    }
    for Lacking { stored, seat, live, .. } in lacking {
        note_shortage(tx, call, &stored, seat.places > 0, live).await?;
    }
    Ok(())
}

/// How many arrivals one command takes; the timer takes the others.
const ARRIVALS: u64 = 50;

/// Those of some people who may be introduced and have room.
async fn free(tx: &Tx, settings: &Settings, ids: &BTreeSet<CandidateId>) -> Result<Vec<Available>, Failure> {
    let mut people = Vec::new();
    for id in ids {
        let person = candidates::find(tx, *id).await?.filter(candidates::Stored::is_open);
        let person = person.map(|person| person.available(settings.live_per_candidate));
        people.extend(person.filter(|person| person.room > 0));
    }
    Ok(people)
}

/// Adds the structures that wait for a possible candidate and for which one of these people is.
async fn waiting(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    people: &[Available],
    lacking: &mut Vec<Lacking>,
) -> Result<(), Failure> {
    if people.is_empty() {
        return Ok(());
    }
    let known: HashSet<_> = lacking.iter().map(|lacking| lacking.stored.structure.id).collect();
    for seen in structures::short(tx).await? {
        let Structure { id, .. } = seen.structure;
        if known.contains(&id) {
            continue;
        }
        let (_, needed_by) = structures::demand(&structures::posts_of(tx, id).await?);
        let Some(needed_by) = needed_by else { continue };
        let seat = Seat { structure: seen.structure, needed_by, places: 0, called: seen.called };
        if !people.iter().any(|person| possible(&person.candidate, &seat, call.moment.today).is_ok()) {
            continue;
        }
        // What others wrote meanwhile is seen under the lock.
        if let Some(Seen { stored, live, seat: Some(seat), .. }) = see(tx, settings, id).await?
            && stored.short
        {
            lacking.push(Lacking { stored, seat, live, ended: VecDeque::new(), waits: true });
        }
    }
    Ok(())
}

/// Brings introductions to the structures that lack some. Answers false where somebody's last place was gone, or somebody
/// has changed: then it is decided again.
async fn bring(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    proposals: Vec<Proposal>,
    lacking: &mut [Lacking],
) -> Result<bool, Failure> {
    let places: HashMap<_, _> =
        lacking.iter().enumerate().map(|(place, lacking)| (lacking.stored.structure.id, place)).collect();
    let mut all_there = true;
    for proposal in proposals {
        let Some(lacking) = places.get(&proposal.structure).map(|place| &mut lacking[*place]) else { continue };
        if !candidates::lock_place(tx, proposal.candidate, settings.live_per_candidate).await?
            || !stands(tx, call, &lacking.seat, &proposal).await?
        {
            all_there = false;
            continue;
        }
        lacking.seat.places -= 1;
        lacking.seat.called.all += 1;
        lacking.seat.called.reserved += u64::from(proposal.reserved);
        lacking.live += 1;
        introduce(tx, call, settings, &lacking.stored.structure, proposal, lacking.ended.pop_front()).await?;
    }
    Ok(all_there)
}

/// Whether a proposal rests on what is told of its candidate now that nobody else can write it.
async fn stands(tx: &Tx, call: &Call, seat: &Seat, proposal: &Proposal) -> Result<bool, Failure> {
    let Some(candidate) = candidates::told_meanwhile(tx, proposal.candidate).await? else { return Ok(true) };
    let reasons = possible(&candidate, seat, call.moment.today);
    Ok(reasons.is_ok_and(|reasons| reasons == proposal.reasons.unranked()))
}

/// Who comes to the structures that lack introductions: of all people with room, as an assignment would have it of these
/// places. Of each order as much is read as it takes: a structure that has enough among the first of its own wants nobody
/// of the others.
async fn propose(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    free: &[Available],
    lacking: &[Lacking],
) -> Result<Vec<Proposal>, Failure> {
    let lacking: Vec<_> = lacking.iter().filter(|lacking| lacking.seat.places > 0).collect();
    let seats: Vec<_> = lacking.iter().map(|lacking| lacking.seat.clone()).collect();
    let ids: Vec<_> = seats.iter().map(|seat| seat.structure.id).collect();
    let introduced = candidates::pairs(tx, &ids).await?.into_iter().collect();
    let terms = settings.terms(call.moment.today);
    let mut people: BTreeMap<_, _> = free.iter().cloned().map(|person| (person.candidate.id, person)).collect();
    let searching = lacking.iter().filter(|lacking| !lacking.waits);
    let mut begun: Vec<_> = searching.map(|Lacking { seat, .. }| Begun { seat, read: 0, goes_on: true }).collect();
    loop {
        let known: Vec<_> = people.values().cloned().collect();
        let proposals = replace(&seats, &known, &introduced, terms);
        let mut is_decided = true;
        for order in begun.iter_mut().filter(|order| order.goes_on && !order.is_enough_for(&proposals)) {
            order.read = order.seat.places.max(order.read * 8);
            let (first, goes_on) = search(tx, settings, order.seat, terms, &introduced, order.read).await?;
            people.extend(first.into_iter().map(|person| (person.candidate.id, person)));
            order.goes_on = goes_on;
            is_decided = false;
        }
        if is_decided {
            return Ok(proposals);
        }
    }
}

/// How much is read of a structure's order.
struct Begun<'a> {
    seat: &'a Seat,
    read: usize,
    /// There may be more.
    goes_on: bool,
}

impl Begun<'_> {
    /// Whether the structure has enough among those who were read.
    fn is_enough_for(&self, proposals: &[Proposal]) -> bool {
        let of_it = proposals.iter().filter(|proposal| proposal.structure == self.seat.structure.id);
        let is_read = |choice: u32| usize::try_from(choice).is_ok_and(|choice| choice <= self.read);
        of_it.filter(|proposal| proposal.reasons.choice.is_some_and(is_read)).count() == self.seat.places
    }
}

/// The first people of a structure's order, and whether there may be more; of the group that a share is kept for, as many.
async fn search(
    tx: &Tx,
    settings: &Settings,
    seat: &Seat,
    terms: Terms,
    introduced: &Introduced,
    count: usize,
) -> Result<(Vec<Available>, bool), Failure> {
    let limit = settings.live_per_candidate;
    let mut first = search_among(tx, Among { limit, job_seekers_since: None }, seat, terms, introduced, count).await?;
    let mut goes_on = first.len() >= count;
    if terms.reserve.percent > 0 {
        let group = Among { limit, job_seekers_since: Some(terms.reserve.latest(terms.today)) };
        let of_group = search_among(tx, group, seat, terms, introduced, count).await?;
        goes_on |= of_group.len() >= count;
        first.extend(of_group);
    }
    Ok((first, goes_on))
}

/// The first of some: in rings, and of each the nearest first, so that nobody further than needed is looked at. Nothing
/// weighs less than distance, so that nobody beyond what the last of them costs can be better.
async fn search_among(
    tx: &Tx,
    among: Among,
    seat: &Seat,
    terms: Terms,
    introduced: &Introduced,
    count: usize,
) -> Result<Vec<Available>, Failure> {
    let owned = |first: Vec<(u64, &Available)>| first.into_iter().map(|(_, person)| person.clone()).collect();
    // Everything in a commune is as near as can be, and perhaps in no ring: the structure may be far from the centre.
    let by_distance = terms.order == Order::default();
    let centre = resolve(&seat.structure.commune).commune().and_then(|commune| commune.place);
    let is_central = centre.is_some() && centre == seat.structure.place;
    let inhabitants = if by_distance || !is_central {
        let most = if by_distance { INHABITANTS.max(2 * count) } else { usize::MAX };
        inhabitants(tx, among, seat, terms, count, (most, is_central)).await?
    } else {
        Vec::new()
    };
    let nearest = first(seat, &inhabitants, terms, count);
    if is_central && nearest.len() == count && nearest.iter().all(|(cost, _)| *cost == 0) {
        return Ok(owned(nearest));
    }
    let mut close = inhabitants;
    close.extend(candidates::wishing(tx, seat, among).await?);
    let Some(place) = seat.structure.place else {
        close.extend(candidates::anywhere(tx, seat, among).await?);
        return Ok(owned(first(seat, &close, terms, count)));
    };
    // The last ring has no limit: beyond the others only those come who go that far.
    for km in candidates::RINGS.into_iter().map(Some).chain([None]) {
        let (mut most, errs) = (NEAREST.max(2 * count), if km.is_some() { FLAT_MAP } else { FLAT_FRANCE });
        // Mostly the nearest have room. Where they have not, those without are passed over.
        let mut with_room = false;
        loop {
            let around = candidates::around(tx, seat, km, among, introduced, most, with_room).await?;
            let Around { mut people, whole, furthest } = around;
            people.extend(close.iter().cloned());
            let first = first(seat, &people, terms, count);
            let enough = first.len() == count;
            let worst = first.last().map_or(0.0, |(cost, _)| metres(*cost));
            let is_within = km.is_none_or(|km| worst <= km * 1000.0);
            let is_decided = whole || nobody_nearer(place, furthest, worst, errs);
            if enough && is_within && is_decided || km.is_none() && whole {
                return Ok(owned(first));
            }
            if whole {
                // All of a ring are in the next one; the last has only those who go beyond.
                close = people;
                break;
            }
            most = most.saturating_mul(8);
            with_room = true;
        }
    }
    Ok(Vec::new())
}

/// The first inhabitants of a structure's commune: `most` of them; where the structure is not at its centre, where rings
/// find the others, as many as it takes for the first of some who are possible.
async fn inhabitants(
    tx: &Tx,
    among: Among,
    seat: &Seat,
    terms: Terms,
    count: usize,
    (mut most, is_central): (usize, bool),
) -> Result<Vec<Available>, Failure> {
    loop {
        let inhabitants = candidates::inhabitants(tx, seat, among, most).await?;
        if is_central || inhabitants.len() < most || first(seat, &inhabitants, terms, count).len() == count {
            return Ok(inhabitants);
        }
        most = most.saturating_mul(8);
    }
}

#[expect(clippy::cast_precision_loss, reason = "metres are far below 2^52")]
fn metres(cost: u64) -> f64 {
    cost as f64
}

/// How many people of a structure's commune a search reads.
const INHABITANTS: usize = 4;
/// How many people around it a search reads at first.
const NEAREST: usize = 6;
/// How much the order of a flat map and that of great circles may differ within the widest ring: the cosine of a latitude
/// changes by less than 3 % over 100 km where people live.
const FLAT_MAP: f64 = 1.03;
/// The same anywhere on one side of the sea: from 41 to 51 degrees it changes by a fifth, and less in the tropics.
const FLAT_FRANCE: f64 = 1.3;

/// Whether nobody who was not read can come before somebody at this distance. Those who were read are the first on a flat
/// map; of one place, the earliest registered.
fn nobody_nearer(place: Place, last: Option<Place>, metres: f64, errs: f64) -> bool {
    let furthest = last.map_or(0, |last| distance_m(place, last));
    metres <= 0.0 || metres * errs < f64::from(furthest)
}

/// Notes that a structure lacks people (M04), or no longer does. It is told once each time that it begins.
async fn note_shortage(tx: &Tx, call: &Call, stored: &Stored, short: bool, live: usize) -> Result<(), Failure> {
    if stored.short == short {
        return Ok(());
    }
    let Structure { id, application, .. } = stored.structure;
    structures::set_short(tx, id, short, call.moment.now).await?;
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

/// Writes an introduction whose candidate has a place for it, and is locked.
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

/// Serves structures all at once: those of a wave (P03), or every one.
///
/// # Errors
/// The database's.
pub async fn wave(tx: &Tx, call: &Call, settings: &Settings, ids: &BTreeSet<StructureId>) -> Result<(), Failure> {
    let mut lacking = Vec::new();
    for id in ids {
        let Some(Seen { stored, live, seat, .. }) = see(tx, settings, *id).await? else { continue };
        match seat {
            Some(seat) => lacking.push(Lacking { stored, seat, live, ended: VecDeque::new(), waits: false }),
            None => note_shortage(tx, call, &stored, false, live).await?,
        }
    }
    loop {
        let proposals = assigned(tx, call, settings, &mut lacking).await?;
        // Other commands run meanwhile, on PostgreSQL: then what is lacking still is decided again.
        if bring(tx, call, settings, proposals, &mut lacking).await? {
            break;
        }
    }
    for Lacking { stored, seat, live, .. } in lacking {
        note_shortage(tx, call, &stored, seat.places > 0, live).await?;
    }
    Ok(())
}

/// Who comes to structures that lack introductions, as the engine has it and a second look lets it stand. Those of a group
/// that does not stand are taken out: they wait.
async fn assigned(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    lacking: &mut Vec<Lacking>,
) -> Result<Vec<Proposal>, Failure> {
    let seats: Vec<_> = lacking.iter().map(|lacking| lacking.seat.clone()).filter(|seat| seat.places > 0).collect();
    let people = candidates::with_room(tx, settings.live_per_candidate).await?;
    let structures: Vec<_> = seats.iter().map(|seat| seat.structure.id).collect();
    let introduced: HashSet<_> = candidates::pairs(tx, &structures).await?.into_iter().collect();
    let terms = settings.terms(call.moment.today);
    let proposals = assign(&seats, &people, &introduced, terms);
    let live = Live {
        of_structures: introductions::live_counts(tx).await?,
        of_candidates: introductions::live_counts_of_candidates(tx).await?,
        per_structure: settings.live_per_structure,
        per_candidate: settings.live_per_candidate,
    };
    let violations = verify(&seats, &people, &introduced, terms, &live, &proposals);
    let (proposals, stopped) = sound(proposals, &violations);
    metrics::violations(violations.len());
    for Violation { wrong, structure, candidate } in violations {
        let (structure, candidate) = (structure.name(), candidate.name());
        tracing::error!(?wrong, structure, candidate, "a wave's proposals do not stand: their group is stopped");
    }
    let is_stopped = |lacking: &mut Lacking| stopped.binary_search(&lacking.stored.structure.id).is_ok();
    for Lacking { stored, live, .. } in lacking.extract_if(.., is_stopped) {
        let Structure { id, application, .. } = stored.structure;
        // Whoever becomes free is brought to it.
        structures::hold_back(tx, id).await?;
        notices::raise(tx, call, id, application, notices::Kind::AssignmentStopped, live).await?;
    }
    Ok(proposals)
}

/// Serves every structure with posts, where a side may have another number of live introductions than when they were last
/// served so (M02).
///
/// # Errors
/// The database's.
pub async fn adopt(tx: &Tx, call: &Call, settings: &Settings) -> Result<(), Failure> {
    wave(tx, call, settings, &structures::with_active_posts(tx).await?).await?;
    limits::adopt(tx, Limits::of(settings)).await
}
