//! French geography and calendar for Conum, from tables embedded in the program: communes and what
//! became of the vanished ones, departments, distances, territories the sea separates, public
//! holidays.
//!
//! Nothing here reads a file or the network at run time. The tables and their licences are described
//! in `data/README.md`; `data/rebuild.py` makes them.

mod bounding_box;
mod communes;
mod departments;
mod distance;
pub mod holidays;
mod table;
mod territory;
mod vanished;

pub use bounding_box::BoundingBox;
pub use communes::{Commune, commune, communes, communes_by_postal_code};
pub use departments::{Department, department, departments, find_department_by_name};
pub use distance::{EARTH_RADIUS_M, InvalidPlace, Place, distance_m};
pub use holidays::Zone;
pub use territory::{Territory, territory_of};
pub use vanished::{Resolved, resolve};
