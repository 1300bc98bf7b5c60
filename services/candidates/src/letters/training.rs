//! The mails about a person's training: its subject and paragraphs (T01 to T05). They tell whether an exam is passed, and
//! no score.

use conum_kernel::TrainingId;
use conum_service::french;
use jiff::civil::Date;

use crate::domain::trainings::{Certification, Exam, Plan, StopReason};

type Words = (&'static str, Vec<String>);

pub(super) fn opened(training: TrainingId) -> Words {
    let paragraphs = vec![
        format!(
            "Une formation au métier de conseiller numérique est ouverte pour vous sous le numéro {training}. Dans votre \
             espace, choisissez la session qui vous convient ; là où aucune ne convient, la formation se suit en ligne."
        ),
        "L'organisme de formation vous écrira pour un entretien. La durée se fixe ensuite, une fois l'employeur consulté."
            .into(),
        "L'État prend en charge la formation et ses deux certifications ; la structure d'accueil, les repas, les trajets \
         et l'hébergement."
            .into(),
    ];
    ("Votre formation est ouverte", paragraphs)
}

pub(super) fn planned(plan: &Plan) -> Words {
    let hours = plan.hours;
    let when = match plan.days {
        Some((first, last)) if first == last => {
            format!(
                "Votre formation durera {hours} heures. La formation initiale a lieu {}.",
                french::days(first, last)
            )
        }
        Some((first, last)) => {
            format!("Votre formation durera {hours} heures. La formation initiale va {}.", french::days(first, last))
        }
        None => format!("Votre formation durera {hours} heures, réparties après la prise de poste."),
    };
    let place = if plan.in_session {
        "Une place vous est réservée dans une session de l'organisme de formation ; le calendrier est dans votre espace."
    } else {
        "Le calendrier est dans votre espace."
    };
    let replaces = "Si d'autres dates vous avaient été annoncées, celles-ci les remplacent.";
    ("Les dates de votre formation", vec![when, place.into(), replaces.into()])
}

pub(super) fn unplanned() -> Words {
    let fallen = "Les dates de formation qui vous avaient été annoncées ne tiennent plus : la place qui vous était réservée \
                  n'existe plus, ou a été rendue.";
    let next =
        "Dans votre espace, choisissez une autre session ; là où aucune ne convient, la formation se suit en ligne.";
    ("Les dates de votre formation ne tiennent plus", vec![fallen.into(), next.into()])
}

pub(super) fn examined(exam: Exam, attempts_left: u32, on: Date) -> Words {
    let day = french::day(on);
    let certification = match exam.certification {
        Certification::Ccp1 => "le CCP1 du titre professionnel « responsable d'espace de médiation numérique »",
        Certification::Pix => "la certification Pix",
    };
    if exam.passed {
        let passed = format!("Bravo : à l'examen du {day}, vous avez obtenu {certification}.");
        return ("Vous avez réussi un examen", vec![passed]);
    }
    let again = match attempts_left {
        0 => "Cet examen ne peut plus être repassé. L'organisme de formation fera le point avec vous.".to_owned(),
        left => {
            let times = if left == 1 { "une fois".to_owned() } else { format!("{left} fois") };
            format!(
                "Rien n'est perdu : cet examen peut encore être repassé {times}. L'organisme de formation conviendra \
                 d'une date avec vous."
            )
        }
    };
    ("Le résultat d'un examen", vec![format!("À l'examen du {day}, vous n'avez pas obtenu {certification}."), again])
}

pub(super) fn trained(hours: u32, on: Date) -> Words {
    let done = format!(
        "Bravo : depuis le {}, vos {hours} heures de formation sont faites, le CCP1 et la certification Pix sont obtenus.",
        french::day(on)
    );
    ("Votre formation est terminée", vec![done, "Vos certifications vous restent acquises.".into()])
}

pub(super) fn stopped(reason: StopReason) -> Words {
    let why = match reason {
        StopReason::SelectionCancelled => {
            "Le recrutement en préparation est annulé : la formation ouverte pour lui s'arrête."
        }
        StopReason::ContractEnded => "Le contrat a pris fin : la formation ouverte pour lui s'arrête.",
        StopReason::Erased => "La formation qui vous concernait s'arrête.",
    };
    let kept = "Les heures faites et les certifications obtenues vous restent acquises : une prochaine formation en \
                tiendra compte.";
    ("Votre formation s'arrête", vec![why.into(), kept.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Date = Date::constant(2021, 5, 3);

    fn failed(attempts_left: u32) -> String {
        let exam = Exam { certification: Certification::Pix, attempt: 1, passed: false };
        examined(exam, attempts_left, ON).1.join(" ")
    }

    #[test]
    fn t03_a_failure_says_how_often_the_exam_can_be_taken_again() {
        assert!(failed(2).contains("À l'examen du 3 mai 2021, vous n'avez pas obtenu la certification Pix."));
        assert!(failed(2).contains("repassé 2 fois"));
        assert!(failed(1).contains("repassé une fois"));
        assert!(failed(0).contains("ne peut plus être repassé"));
    }

    #[test]
    fn t02_a_plan_says_the_days_of_the_initial_training_where_it_has_some() {
        let plan = Plan { organisation: None, in_session: true, hours: 105, days: None };
        assert!(planned(&plan).1[0].contains("après la prise de poste"));
        let days = |last| Plan { days: Some((ON, last)), ..plan };
        assert!(planned(&days(ON)).1[0].contains("a lieu le 3 mai 2021."));
        let text = planned(&days(Date::constant(2021, 5, 21))).1[0].clone();
        assert_eq!(text, "Votre formation durera 105 heures. La formation initiale va du 3 mai 2021 au 21 mai 2021.");
    }
}
