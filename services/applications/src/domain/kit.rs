//! The welcome kit of a granted structure (A02, A17): the steps, what stays the employer's own, an interview grid that it
//! may use or not (M09), the documents that are asked for (A12), and whom to call. In French, as Markdown; how it is sent
//! or shown is left to others.

use std::fmt::Write as _;

use conum_kernel::{Error, Result, Rule};

use super::{Settings, application::Application, documents::DocumentKind, post::PostState};

/// What a granted structure receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeKit {
    /// Markdown.
    pub text: String,
    pub documents: Vec<DocumentKind>,
}

const OWN_DECISIONS: &str = "\
## Ce qui reste votre affaire

La plateforme ne vérifie ni ne remplace ces décisions d'employeur :

- la délibération de votre assemblée, ou l'accord de vos instances ;
- la publication de la vacance du poste, là où elle s'impose à vous ;
- le type de contrat : permanent, ou d'au moins la durée que le programme finance, dont le contrat de projet ;
- la période d'essai et ses suites ;
- une rémunération plus élevée, à votre charge ou avec d'autres financements ;
- l'organisation des journées, les lieux et la pédagogie.

";

const INTERVIEW_GRID: &str = "\
## Une grille d'entretien, si elle vous sert

Elle n'est pas obligatoire : vous rencontrez les candidats comme vous l'entendez, et vous n'êtes jamais tenu d'en retenir un.

| Sujet | Une question possible | Ce que vous pouvez y entendre |
|---|---|---|
| Accueillir | Comment mettre à l'aise une personne qui n'a jamais tenu une souris ? | patience, mots simples |
| Transmettre | Racontez un geste que vous avez appris à quelqu'un. | faire faire plutôt que faire à la place |
| Pratiques numériques | Quels outils utilisez-vous pour une démarche en ligne ? | aisance, prudence avec les données |
| Animer | Comment tiendriez-vous un atelier de six débutants ? | préparation, attention à chacun |
| Aller vers | Où iriez-vous chercher ceux qui ne viennent pas ? | connaissance du territoire, initiative |
| Apprendre | Que voudriez-vous acquérir pendant la formation ? | envie d'apprendre, lucidité |

Les résultats Pix d'un candidat s'affichent dans votre espace tant qu'il accepte de les partager.

";

/// The kit of an application that holds granted posts. `contact` is the line that tells whom to write to or call.
///
/// # Errors
/// `NOT_GRANTED` (A02): nobody receives the kit before a grant.
pub fn welcome_kit(application: &Application, settings: &Settings, contact: &str) -> Result<WelcomeKit> {
    let posts = application.posts_in(PostState::Granted).count();
    if posts == 0 {
        return Err(Error::refused(
            Rule("A02"),
            "NOT_GRANTED",
            "the welcome kit comes with a grant",
            "le kit d'accueil accompagne un accord",
        ));
    }
    let documents: Vec<_> = application.documents.iter().map(|document| document.kind).collect();
    Ok(WelcomeKit { text: text(posts, &documents, settings, contact), documents })
}

fn text(posts: usize, documents: &[DocumentKind], settings: &Settings, contact: &str) -> String {
    let mut kit = String::from("# Bienvenue parmi les structures d'accueil\n\n");
    let accepted = if posts == 1 {
        "Un poste de conseiller numérique vous est accordé.".to_owned()
    } else {
        format!("{posts} postes de conseiller numérique vous sont accordés.")
    };
    let months = settings.selection_delay_months;
    // Writing to a String does not fail.
    let _ = write!(
        kit,
        "{accepted} Voici la suite, pas à pas.\n\n\
         ## Les étapes\n\n\
         1. Fixez dans votre espace la date à laquelle chaque conseiller peut commencer.\n\
         2. Déposez les pièces justificatives : rien n'est versé avant qu'elles soient toutes validées.\n\
         3. À l'activation de votre vague, vous recevez jusqu'à trois candidatures à la fois. Si l'une ne convient pas, \
         dites-le depuis le message reçu : une autre la remplace.\n\
         4. Rencontrez les candidats et signalez votre choix dans un délai de {months} mois. Une personne \
         que vous avez déjà trouvée doit elle aussi s'inscrire sur la plateforme.\n\
         5. Signez la convention de subvention, puis le contrat de travail, à temps plein.\n\
         6. Votre conseiller se forme avant sa prise de poste, aux frais de l'État ; repas, trajets et hébergement sont \
         pour vous.\n\n"
    );
    kit.push_str(OWN_DECISIONS);
    kit.push_str(INTERVIEW_GRID);
    kit.push_str("## Les pièces à déposer\n\n");
    if documents.is_empty() {
        kit.push_str("La liste vous est donnée dès que la nature de votre structure est connue.\n");
    }
    for document in documents {
        let _ = writeln!(kit, "- {}", document.french());
    }
    let _ = write!(kit, "\n## Une question ?\n\n{contact}\n");
    kit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{self, settings};

    const CONTACT: &str = "Écrivez à contact@exemple.fr";

    #[test]
    fn a17_the_kit_lists_what_stays_the_employers_own() {
        let kit = welcome_kit(&examples::granted(2).application, &settings(), CONTACT).unwrap();
        for own in
            ["délibération", "vacance du poste", "type de contrat", "période d'essai", "rémunération plus élevée"]
        {
            assert!(kit.text.contains(own), "{own}");
        }
        assert!(kit.text.contains("2 postes"));
        assert!(kit.text.contains(CONTACT));
    }

    #[test]
    fn a12_m09_the_kit_lists_the_documents_and_a_grid_to_use_or_not() {
        let application = examples::granted(1).application;
        let kit = welcome_kit(&application, &settings(), CONTACT).unwrap();
        assert_eq!(kit.documents.len(), application.documents.len());
        assert!(kit.documents.iter().all(|document| kit.text.contains(document.french())));
        assert!(kit.text.contains("pas obligatoire"));
        assert!(kit.text.contains("Un poste"));
    }

    #[test]
    fn a13_the_kit_names_the_delay_of_selection_of_the_policies() {
        let settings = Settings { selection_delay_months: 2, ..settings() };
        let kit = welcome_kit(&examples::granted(1).application, &settings, CONTACT).unwrap();
        assert!(kit.text.contains("2 mois"));
    }

    #[test]
    fn a02_nobody_receives_the_kit_before_a_grant() {
        let error = welcome_kit(&examples::examined(1).application, &settings(), CONTACT).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("NOT_GRANTED", Some(Rule("A02"))));
    }
}
