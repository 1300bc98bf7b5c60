//! `StudiesService`: why a structure is short, and what a wave would bring. Nothing here writes.

use std::collections::{BTreeSet, HashMap};

use conum_geo::{resolve, territory_of};
use conum_kernel::{Error, Ids, Rule, StructureId, Violations, WaveId};
use conum_proto::matching::v1::{
    DepartmentCoverage, DepartmentOutcome, ExplainShortageRequest, ShortageExplanation, SimulateWaveRequest,
    SimulateWaveResponse, SupposedSettings, SupposedStructure, WaveOutcome, shortage_explanation::Obstacle as Wire,
    studies_service_server::StudiesService,
};
use conum_service::{Call, Failure, Host, sql, wire};
use sea_orm::ConnectionTrait;
use tonic::{Request, Response, Status};

use crate::{
    commands::settings,
    domain::{
        assignment::Introduced,
        candidate::{Quality, Sector},
        order::{Called, Reserve},
        policies::Settings,
        serving::{Posts, Serve, serve},
        shortage::{Near, Obstacle, Shortage, explain},
        simulation::{Coverage, Demand, Outcome, Scenario, Supply, simulate},
        structure::{Need, Seat, Structure},
    },
    storage::{candidates, introductions, structures},
};

/// How far "near" is, in km: the greatest distance that a candidate can choose, short of anywhere.
const NEAR_KM: u32 = 100;

/// The rpc of studies.
#[derive(Clone, Debug)]
pub struct Studies(pub Host);

#[tonic::async_trait]
impl StudiesService for Studies {
    async fn explain_shortage(
        &self,
        request: Request<ExplainShortageRequest>,
    ) -> Result<Response<ShortageExplanation>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().structure;
        call.require_owner(&[&name]).map_err(Failure::from)?;
        let id = StructureId::parse_name("structure", &name).map_err(Failure::from)?;
        let snapshot = self.0.store().read().snapshot().await.map_err(Failure::from)?;
        Ok(Response::new(explained(&*snapshot, &call, id).await?))
    }

    async fn simulate_wave(
        &self,
        request: Request<SimulateWaveRequest>,
    ) -> Result<Response<SimulateWaveResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let snapshot = self.0.store().read().snapshot().await.map_err(Failure::from)?;
        let study = Study::read(&*snapshot, &call, &asked).await?;
        drop(snapshot);
        // Some hundred milliseconds of the nation: not on a thread that answers others.
        let answer = tokio::task::spawn_blocking(move || study.answer()).await;
        let answer = answer.map_err(|_| Failure::from(Error::internal("the simulation stopped")))?;
        Ok(Response::new(answer))
    }
}

/// What is said of a structure without a post that is activated, vacant, and selected for by nobody.
const NO_POST: &str = "aucun poste à pourvoir aujourd'hui : aucune présentation n'est attendue";

async fn explained<C: ConnectionTrait>(
    connection: &C,
    call: &Call,
    id: StructureId,
) -> Result<ShortageExplanation, Failure> {
    let settings = settings(connection, call).await?;
    let stored = structures::find(connection, id).await?.ok_or_else(|| Error::not_found(&id.name()))?;
    let posts = structures::posts_of(connection, id).await?;
    let live = introductions::live_count(connection, id).await?;
    let (counts, needed_by) = structures::demand(&posts);
    let Some(needed_by) = needed_by else {
        // Nobody is looked at where no post is to be filled: any obstacle would be a false one.
        return Ok(ShortageExplanation {
            structure: id.name(),
            live: count(live),
            near_km: i32::try_from(NEAR_KM).unwrap_or(i32::MAX),
            sentence: NO_POST.into(),
            ..ShortageExplanation::default()
        });
    };
    let lacking = match serve(counts, live, settings.live_per_structure) {
        Serve::Fill(places) => places,
        Serve::Close | Serve::Nothing => 0,
    };
    let near = candidates::near(connection, &stored.structure, NEAR_KM).await?;
    let near: Vec<Near> = near
        .into_iter()
        .map(|(person, introduced)| Near {
            candidate: person.candidate,
            live: person.live,
            taken: person.taken,
            introduced,
        })
        .collect();
    let terms = settings.terms(call.moment.today);
    let seat = Seat { structure: stored.structure, needed_by, places: lacking, called: stored.called };
    let shortage = explain(&seat, &near, settings.live_per_candidate, terms);
    Ok(ShortageExplanation {
        structure: id.name(),
        lacking: count(lacking),
        live: count(live),
        near: count(shortage.near),
        near_km: i32::try_from(NEAR_KM).unwrap_or(i32::MAX),
        possible: count(shortage.possible),
        obstacles: obstacles(&shortage),
        sentence: shortage.sentence(NEAR_KM),
    })
}

fn obstacles(shortage: &Shortage) -> Vec<Wire> {
    use conum_proto::matching::v1::shortage_explanation::obstacle::Kind;
    let wire = |(obstacle, people): (&Obstacle, &usize)| {
        let (kind, quality) = match obstacle {
            Obstacle::AlreadyIntroduced => (Kind::AlreadyIntroduced, ""),
            Obstacle::Taken => (Kind::Taken, ""),
            Obstacle::HeldOut => (Kind::HeldOut, ""),
            Obstacle::OutOfReach => (Kind::OutOfReach, ""),
            Obstacle::NeedNotMet(quality) => (Kind::NeedNotMet, quality.text()),
            Obstacle::NotAvailable => (Kind::NotAvailable, ""),
            Obstacle::NoRoom => (Kind::NoRoom, ""),
        };
        Wire { kind: kind.into(), quality: quality.into(), candidates: count(*people) }
    };
    shortage.obstacles.iter().map(wire).collect()
}

/// What a simulation is computed from.
struct Study {
    today: (Vec<Demand>, Scenario),
    simulated: (Vec<Demand>, Scenario),
    supply: Vec<Supply>,
    introduced: Introduced,
}

impl Study {
    async fn read<C: sql::Rows>(connection: &C, call: &Call, asked: &SimulateWaveRequest) -> Result<Self, Failure> {
        let settings = settings(connection, call).await?;
        let mut wrong = Violations::default();
        let waves: Vec<Option<WaveId>> =
            asked.waves.iter().map(|name| wrong.take(WaveId::parse_name("waves", name))).collect();
        let supposed: Vec<Option<Demand>> = asked
            .structures
            .iter()
            .enumerate()
            .map(|(place, structure)| supposed(&mut wrong, place, structure, call))
            .collect();
        let today = Scenario {
            least_km: 0,
            most_km: None,
            ..scenario(&mut wrong, &settings, SupposedSettings::default(), call)
        };
        let simulated = scenario(&mut wrong, &settings, asked.settings.unwrap_or_default(), call);
        wrong.check()?;
        let waves: BTreeSet<WaveId> = waves.into_iter().flatten().collect();
        let live = introductions::live_counts(connection).await?;
        let all = structures::all(connection).await?;
        for wave in &waves {
            if !all.iter().flat_map(|(_, posts)| posts).any(|post| post.wave == *wave) {
                return Err(Error::not_found(&wave.name()).into());
            }
        }
        let ids: Vec<StructureId> = all.iter().map(|(stored, _)| stored.structure.id).collect();
        let introduced = candidates::pairs(connection, &ids).await?.into_iter().collect();
        let people = candidates::open(connection).await?;
        Ok(Self {
            today: (demands(&all, &live, &BTreeSet::new()), today),
            simulated: (
                demands(&all, &live, &waves).into_iter().chain(supposed.into_iter().flatten()).collect(),
                simulated,
            ),
            supply: people
                .into_iter()
                .map(|person| Supply { candidate: person.candidate, live: person.live })
                .collect(),
            introduced,
        })
    }

    fn answer(&self) -> SimulateWaveResponse {
        let play = |(demands, scenario): &(Vec<Demand>, Scenario)| {
            simulate(demands, &self.supply, &self.introduced, *scenario)
        };
        let (today, simulated) = (play(&self.today), play(&self.simulated));
        let codes: BTreeSet<&String> = today.departments.keys().chain(simulated.departments.keys()).collect();
        let coverage = |outcome: &Outcome, code: &String| outcome.departments.get(code).copied().map(covered);
        let departments = codes.into_iter().map(|code| DepartmentOutcome {
            department: code.clone(),
            today: coverage(&today, code),
            simulated: coverage(&simulated, code),
        });
        SimulateWaveResponse {
            departments: departments.collect(),
            today: Some(outcome(&today)),
            simulated: Some(outcome(&simulated)),
        }
    }
}

fn demands(
    all: &[(structures::Stored, Vec<structures::Post>)],
    live: &HashMap<StructureId, usize>,
    waves: &BTreeSet<WaveId>,
) -> Vec<Demand> {
    let demand = |(stored, posts): &(structures::Stored, Vec<structures::Post>)| {
        let mut posts = posts.clone();
        for post in posts.iter_mut().filter(|post| stored.ready && waves.contains(&post.wave)) {
            post.active = true;
        }
        let (posts, needed_by) = structures::demand(&posts);
        let id = stored.structure.id;
        let live = live.get(&id).copied().unwrap_or(0);
        // A structure whose every post is filled or held asks for nobody: its date decides nothing.
        let needed_by = needed_by.unwrap_or(jiff::civil::Date::MIN);
        Demand { structure: stored.structure.clone(), posts, needed_by, live, called: stored.called }
    };
    all.iter().map(demand).collect()
}

fn supposed(wrong: &mut Violations, place: usize, asked: &SupposedStructure, call: &Call) -> Option<Demand> {
    let at = |field: &str| format!("structures[{place}].{field}");
    let commune = resolve(&asked.commune).commune();
    if commune.is_none() {
        wrong.add(at("commune"), "UNKNOWN_COMMUNE", "no commune has this code", "aucune commune n'a ce code");
    }
    let sector = Sector::parse(&asked.sector);
    if sector.is_none() {
        wrong.add(at("sector"), "UNKNOWN_VALUE", "public or private is expected", "public ou private est attendu");
    }
    let mut needs = Vec::new();
    for word in &asked.compulsory_needs {
        match Quality::parse(word) {
            Some(quality) => needs.push(Need { quality, compulsory: true }),
            None => wrong.add(
                at("compulsory_needs"),
                "UNKNOWN_VALUE",
                "experience, qualification or driving_licence is expected",
                "experience, qualification ou driving_licence est attendu",
            ),
        }
    }
    let needed_by = wrong.take(wire::date(&at("needed_by"), asked.needed_by.as_ref()))?.unwrap_or(call.moment.today);
    let commune = commune?;
    let ids = Ids::seeded(u64::try_from(place).unwrap_or(u64::MAX));
    let structure = Structure {
        id: ids.mint(call.moment.now, "supposed"),
        application: ids.mint(call.moment.now, "supposed"),
        commune: commune.code.into(),
        place: commune.place,
        department: commune.department.into(),
        territory: territory_of(commune.department),
        sector: sector?,
        needs,
        candidate_found: false,
    };
    let posts = Posts { vacant: 1, reserved: 0 };
    Some(Demand { structure, posts, needed_by, live: 0, called: Called::default() })
}

fn scenario(wrong: &mut Violations, settings: &Settings, asked: SupposedSettings, call: &Call) -> Scenario {
    let mut number = |field: &str, rule: &'static str, asked: Option<i32>, (least, most): (u32, u32), today: u32| {
        let Some(asked) = asked else { return today };
        let within = u32::try_from(asked).ok().filter(|value| (least..=most).contains(value));
        if within.is_none() {
            wrong.breaks(
                Rule(rule),
                format!("settings.{field}"),
                "OUT_OF_RANGE",
                format!("a whole number from {least} to {most} is expected"),
                format!("un nombre entier de {least} à {most} est attendu"),
            );
        }
        within.unwrap_or(today)
    };
    let whole = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let places = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let (per_structure, per_candidate) = (whole(settings.live_per_structure), whole(settings.live_per_candidate));
    let per_structure = number("live_per_structure", "M02", asked.live_per_structure, (1, 20), per_structure);
    let per_candidate = number("live_per_candidate", "M02", asked.live_per_candidate, (1, 20), per_candidate);
    let least_km = number("least_km", "C04", asked.least_km, (0, 20_000), 0);
    let most_km = number("most_km", "C04", asked.most_km, (0, 20_000), u32::MAX);
    let mut terms = settings.terms(call.moment.today);
    let weight = (0, 1_000_000);
    terms.order.need_m = number("order_need_metres", "M01", asked.order_need_metres, weight, terms.order.need_m);
    terms.order.wish_m = number("order_wish_metres", "M01", asked.order_wish_metres, weight, terms.order.wish_m);
    terms.order.day_m = number("order_day_metres", "M01", asked.order_day_metres, weight, terms.order.day_m);
    let percent =
        number("reserved_share_percent", "M01", asked.reserved_share_percent, (0, 100), terms.reserve.percent);
    terms.reserve = Reserve { percent, ..terms.reserve };
    Scenario {
        live_per_structure: places(per_structure),
        live_per_candidate: places(per_candidate),
        terms,
        least_km,
        most_km: asked.most_km.map(|_| most_km),
    }
}

fn outcome(outcome: &Outcome) -> WaveOutcome {
    WaveOutcome {
        structures: count(outcome.structures),
        wanted: count(outcome.wanted),
        live: count(outcome.live),
        introductions: count(outcome.introductions),
        structures_full: count(outcome.full),
        structures_without: count(outcome.without),
        candidates: count(outcome.candidates),
        candidates_introduced: count(outcome.called),
        candidates_left_out: count(outcome.left_out),
        mean_km: outcome.mean_m / 1000.0,
        median_km: f64::from(outcome.median_m) / 1000.0,
        worst_tenth: outcome.worst_tenth,
    }
}

fn covered(coverage: Coverage) -> DepartmentCoverage {
    DepartmentCoverage {
        structures: count(coverage.structures),
        wanted: count(coverage.wanted),
        introductions: count(coverage.introductions),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
