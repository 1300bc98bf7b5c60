//! The file of the structures granted in spring 2021, as it was published: French names, numbers where there should be
//! codes, and 0 or null for what nobody knew.

use conum_proto::applications::v1::StructureKind;

use super::{cells::Columns, mending::Said, structures::Profile};

/// The published file.
pub(crate) const CNFS_2021: Profile = Profile {
    columns: Columns {
        compulsory: &[
            "id",
            "raison_sociale",
            "siret",
            "type",
            "nb_cnfs",
            "date_de_validation_en_comité_de_sélection",
            "code_postal",
            "insee_com",
            "code_département",
            "latitude",
            "longitude",
        ],
        optional: &[
            "adresse",
            // The amount, the zoning and the names are the platform's own to know.
            "investissement_financier_estimatif_total_de_l.etat",
            "zrr",
            "qpv",
            "france_services",
            "commune_insee",
            "département",
            "région",
        ],
    },
    said: |cells| Said {
        source_id: Some(cells.get("id"))
            .filter(|id| !id.is_empty())
            .map(|id| format!("cnfs-2021/{id}"))
            .unwrap_or_default(),
        registration_number: cells.get("siret"),
        legal_name: cells.get("raison_sociale"),
        kind: match cells.get("type") {
            "publique" => Some(StructureKind::Public),
            "privée" => Some(StructureKind::Private),
            "" => Some(StructureKind::Unspecified),
            _ => None,
        },
        commune: cells.get("insee_com"),
        postal_code: cells.get("code_postal"),
        department: cells.get("code_département"),
        address: cells.get("adresse"),
        posts: cells.get("nb_cnfs"),
        committee_date: cells.get("date_de_validation_en_comité_de_sélection"),
        latitude: cells.get("latitude"),
        longitude: cells.get("longitude"),
    },
};
