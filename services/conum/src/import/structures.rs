//! Structures that were granted posts in the past: what their lines say, in whatever columns, becomes calls of
//! `RecordPastGrant`. What a line does not know or says wrongly is mended where it can be, and warned of.

use conum_kernel::{Error, Violations};
use conum_proto::applications::v1::{
    RecordPastGrantRequest, RecordPastGrantResponse, Structure, StructureKind, record_past_grant_response::Outcome,
};
use conum_service::wire;
use tokio::sync::mpsc::Receiver;

use super::{
    calls::{self, Answer, Asking},
    cells::{self, Cells, Columns},
    mending::{NAME_MISSING, Said, Warnings, code, commune, location, number, one_line},
    reading::Row,
    report::{Entry, Report, Verdict},
};

/// How a file speaks of structures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) columns: Columns,
    pub(super) said: fn(&Cells) -> Said<'_>,
}

/// Plain English names.
pub(crate) const PLAIN: Profile = Profile {
    columns: Columns {
        compulsory: &[
            "source_id",
            "registration_number",
            "legal_name",
            "kind",
            "commune",
            "posts",
            "committee_date",
            "latitude",
            "longitude",
        ],
        optional: &["address", "postal_code", "department"],
    },
    said: |cells| Said {
        source_id: cells.get("source_id").to_owned(),
        registration_number: cells.get("registration_number"),
        legal_name: cells.get("legal_name"),
        kind: kind(cells.get("kind")),
        commune: cells.get("commune"),
        postal_code: cells.get("postal_code"),
        department: cells.get("department"),
        address: cells.get("address"),
        posts: cells.get("posts"),
        committee_date: cells.get("committee_date"),
        latitude: cells.get("latitude"),
        longitude: cells.get("longitude"),
    },
};

/// `local_authority`, `public_body`, `association`, `company`, `public` or `private`; unspecified where nothing is said.
fn kind(text: &str) -> Option<StructureKind> {
    if text.is_empty() {
        return Some(StructureKind::Unspecified);
    }
    let name = format!("STRUCTURE_KIND_{}", text.to_uppercase().replace([' ', '-'], "_"));
    StructureKind::from_str_name(&name).filter(|kind| *kind != StructureKind::Unspecified)
}

/// Records the lines of a file, strictly one after the other: the first of a structure makes its record, the others are
/// merged into it.
///
/// # Errors
/// Where the file or the platform fails: what was recorded stays so, and the import can be done again.
pub(crate) async fn import(
    asking: &Asking,
    profile: &Profile,
    mut rows: Receiver<Result<Row, Error>>,
    report: &mut Report,
) -> Result<(), Error> {
    while let Some(row) = rows.recv().await {
        report.add(&record(asking, profile, row?).await?)?;
        report.flush()?;
    }
    Ok(())
}

async fn record(asking: &Asking, profile: &Profile, row: Row) -> Result<Entry, Error> {
    let mut entry = Entry::of(row.line);
    let cells = match row.cells {
        Ok(cells) => cells,
        Err(reason) => return Ok(entry.rejected(vec![reason])),
    };
    let said = (profile.said)(&cells);
    entry.source_id.clone_from(&said.source_id);
    let (request, warnings) = match request(&said) {
        Ok(read) => read,
        Err(reasons) => return Ok(entry.rejected(reasons)),
    };
    let request = RecordPastGrantRequest { request_id: asking.request_id("structures", row.line), ..request };
    let mut client = asking.voice.applications();
    let answer = asking.ask(row.line, request, async |request| client.record_past_grant(request).await).await?;
    Ok(match answer {
        Answer::Done(recorded) => judged(entry, recorded, warnings),
        Answer::Refused(refusal) => entry.rejected(refusal.reasons),
    })
}

fn judged(mut entry: Entry, recorded: RecordPastGrantResponse, warnings: Vec<&'static str>) -> Entry {
    entry.verdict = match recorded.outcome() {
        Outcome::Created => Verdict::Accepted,
        Outcome::Merged => Verdict::Merged,
        Outcome::Unchanged | Outcome::Unspecified => Verdict::Unchanged,
    };
    entry.reasons = warnings.into_iter().map(str::to_owned).collect();
    for warning in recorded.warnings {
        if !entry.reasons.contains(&warning) {
            entry.reasons.push(warning);
        }
    }
    entry.target = recorded.application.map(|application| application.name).unwrap_or_default();
    entry
}

/// The call of a line, with what there is to warn of; or all that is wrong with it, as `column:REASON`.
fn request(said: &Said<'_>) -> Result<(RecordPastGrantRequest, Vec<&'static str>), Vec<String>> {
    let (mut wrong, mut warnings) = (Violations::default(), Warnings::default());
    if said.source_id.is_empty() {
        wrong.missing("source_id");
    }
    let commune = commune(said, &mut warnings);
    let registration_number = number(said.registration_number, commune, &mut wrong, &mut warnings);
    let legal_name = cells::known(said.legal_name);
    if legal_name.is_empty() {
        warnings.add(NAME_MISSING);
    }
    if said.kind.is_none() {
        wrong.take::<()>(Err(wire::unknown_value("kind")));
    }
    let posts = said.posts.parse().ok().filter(|posts| *posts > 0);
    if posts.is_none() {
        wrong.add("posts", "INVALID_COUNT", "a number of posts is expected", "un nombre de postes est attendu");
    }
    let committee_date = cells::date(said.committee_date);
    if committee_date.is_none() {
        wrong.add("committee_date", "INVALID_DATE", "a day is expected", "un jour est attendu");
    }
    let location = location(said, commune, &mut warnings);
    wrong.check().map_err(|error| calls::violated(&error))?;
    let profile = Structure {
        registration_number,
        legal_name: one_line(legal_name),
        kind: said.kind.unwrap_or_default().into(),
        // As the source says it: a vanished code is the platform's to map.
        commune: code(said.commune, 5).unwrap_or_else(|| commune.map_or("", |commune| commune.code).to_owned()),
        address: said.address.lines().map(one_line).collect::<Vec<_>>().join("\n"),
        location,
        ..Structure::default()
    };
    let request = RecordPastGrantRequest {
        profile: Some(profile),
        posts: posts.unwrap_or_default(),
        committee_date: committee_date.map(wire::from_date),
        source_id: said.source_id.clone(),
        request_id: String::new(),
    };
    Ok((request, warnings.0))
}

#[cfg(test)]
mod tests {
    use conum_proto::google::r#type::LatLng;

    use super::{
        super::mending::{
            COMMUNE_FROM_POSTAL_CODE, COORDINATES_CONTRADICT_COMMUNE, DEPARTMENT_CONTRADICTS_COMMUNE, LOST_ZERO_MENDED,
            MISSING_COMMUNE, MISSING_COORDINATES, VANISHED_COMMUNE,
        },
        *,
    };

    /// A line without a defect.
    fn said() -> Said<'static> {
        Said {
            source_id: "file/1".into(),
            registration_number: "21010053300012",
            legal_name: "Commune",
            kind: Some(StructureKind::Public),
            commune: "01053",
            posts: "2",
            committee_date: "19/05/2021",
            latitude: "46.205",
            longitude: "5,2255",
            ..Said::default()
        }
    }

    fn warnings(said: &Said<'_>) -> Vec<&'static str> {
        request(said).unwrap().1
    }

    #[test]
    fn a_line_without_a_defect_is_a_call_without_a_warning() {
        let (request, warnings) = request(&said()).unwrap();
        let profile = request.profile.unwrap();
        assert_eq!(warnings, [""; 0]);
        assert_eq!((profile.registration_number.as_str(), profile.commune.as_str()), ("21010053300012", "01053"));
        assert_eq!(profile.location, Some(LatLng { latitude: 46.205, longitude: 5.2255 }));
        assert_eq!((request.posts, request.source_id.as_str()), (2, "file/1"));
        assert_eq!(request.committee_date, Some(wire::from_date(jiff::civil::date(2021, 5, 19))));
    }

    #[test]
    fn each_defect_that_can_be_lived_with_is_a_warning() {
        for (said, warning) in [
            (Said { legal_name: "0", ..said() }, NAME_MISSING),
            (Said { commune: "1053", ..said() }, LOST_ZERO_MENDED),
            (Said { postal_code: "1000", ..said() }, LOST_ZERO_MENDED),
            (Said { department: "1", ..said() }, LOST_ZERO_MENDED),
            (Said { department: "69", ..said() }, DEPARTMENT_CONTRADICTS_COMMUNE),
            (Said { latitude: "", ..said() }, MISSING_COORDINATES),
            (Said { latitude: "460", ..said() }, MISSING_COORDINATES),
            (Said { latitude: "-12.8", longitude: "45.2", ..said() }, COORDINATES_CONTRADICT_COMMUNE),
            (Said { commune: "0", ..said() }, MISSING_COMMUNE),
            (Said { commune: "null", postal_code: "01360", ..said() }, MISSING_COMMUNE),
            (
                Said { commune: "", postal_code: "69310", latitude: "45.7", longitude: "4.8", ..said() },
                COMMUNE_FROM_POSTAL_CODE,
            ),
            (Said { commune: "69152", latitude: "45.7", longitude: "4.8", ..said() }, VANISHED_COMMUNE),
        ] {
            assert_eq!(warnings(&said), [warning], "{said:?}");
        }
    }

    #[test]
    fn a_department_that_lost_its_zero_is_not_another_and_a_siret_gets_its_zero_back() {
        assert_eq!(warnings(&Said { department: "1", postal_code: "1000", ..said() }), [LOST_ZERO_MENDED]);
        let (request, warnings) = request(&Said { registration_number: "0552013500012", ..said() }).unwrap();
        assert_eq!(warnings, [LOST_ZERO_MENDED]);
        assert_eq!(request.profile.unwrap().registration_number, "00552013500012");
    }

    #[test]
    fn what_cannot_be_lived_with_comes_at_once_by_column_and_reason() {
        let wrong = Said {
            source_id: String::new(),
            registration_number: "null",
            kind: None,
            posts: "0",
            committee_date: "31/02/2021",
            ..said()
        };
        let reasons = [
            "source_id:REQUIRED",
            "registration_number:REQUIRED",
            "kind:UNKNOWN_VALUE",
            "posts:INVALID_COUNT",
            "committee_date:INVALID_DATE",
        ];
        assert_eq!(request(&wrong).unwrap_err(), reasons);
        let key = Said { registration_number: "34416574200013", ..said() };
        assert_eq!(request(&key).unwrap_err(), ["registration_number:INVALID_SIRET_KEY"]);
        let ridet = Said { registration_number: "123456.001", ..said() };
        assert_eq!(request(&ridet).unwrap_err(), ["registration_number:RIDET_OUTSIDE_NEW_CALEDONIA"]);
        let ridet = Said { commune: "98818", latitude: "-22.27", longitude: "166.44", ..ridet };
        assert!(request(&ridet).is_ok());
    }

    #[test]
    fn kinds_are_the_platforms_words() {
        assert_eq!(kind("Local authority"), Some(StructureKind::LocalAuthority));
        assert_eq!((kind(""), kind("unspecified"), kind("mairie")), (Some(StructureKind::Unspecified), None, None));
    }
}
