//! Writes the public holidays of a range of years to standard output, as lines `zone,date`, for a check against others:
//! `cargo run -p conum-geo --example holidays 2020 2026`.

use std::io::Write as _;

use conum_geo::{Zone, holidays::public_holidays};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let years: Vec<i16> = std::env::args().skip(1).map(|year| year.parse()).collect::<Result<_, _>>()?;
    let [first, last] = years[..] else { return Err("two years are expected, the first and the last".into()) };
    let mut output = std::io::stdout().lock();
    for zone in Zone::ALL {
        for year in first..=last {
            for (date, _) in public_holidays(zone, year) {
                writeln!(output, "{},{date}", zone.code())?;
            }
        }
    }
    Ok(())
}
