//! Equity between departments (A03): the posts each has and asks for against its population, shown to whoever decides.
//! It informs and refuses nothing: there is no ceiling on what a structure asks for.

/// A department as counted by the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentCount {
    /// INSEE code.
    pub department: String,
    pub name: String,
    /// Inhabitants.
    pub population: u32,
    /// Posts that count under the cap.
    pub granted: u32,
    /// Posts asked for and not decided.
    pub asked: u32,
}

/// A department's share of the posts against its share of the population.
#[derive(Clone, Debug, PartialEq)]
pub struct DepartmentEquity {
    pub count: DepartmentCount,
    /// Posts granted for 100,000 inhabitants; 0 where nobody lives.
    pub posts_per_100k: f64,
    /// Share of the granted posts over share of the population: 1 is even. 0 where nothing is granted or nobody lives.
    pub ratio: f64,
}

/// The rows of all departments, in the order given. Shares are of the sums over these rows.
#[must_use]
pub fn equity(counts: Vec<DepartmentCount>) -> Vec<DepartmentEquity> {
    let granted: f64 = counts.iter().map(|count| f64::from(count.granted)).sum();
    let population: f64 = counts.iter().map(|count| f64::from(count.population)).sum();
    counts
        .into_iter()
        .map(|count| {
            let (own_granted, own_population) = (f64::from(count.granted), f64::from(count.population));
            let posts_per_100k = share(own_granted, own_population) * 100_000.0;
            let ratio = share(share(own_granted, granted), share(own_population, population));
            DepartmentEquity { count, posts_per_100k, ratio }
        })
        .collect()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(department: &str, population: u32, granted: u32) -> DepartmentCount {
        DepartmentCount { department: department.into(), name: String::new(), population, granted, asked: 5 }
    }

    #[test]
    fn a03_each_department_shows_its_share_of_posts_against_its_population() {
        let rows = equity(vec![count("69", 300_000, 6), count("01", 100_000, 2), count("48", 100_000, 0)]);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(rows[0].posts_per_100k, 2.0) && close(rows[1].posts_per_100k, 2.0));
        assert!(close(rows[0].ratio, 1.25), "6 of 8 posts for 3 of 5 inhabitants");
        assert!(close(rows[2].ratio, 0.0));
        assert_eq!(rows[2].count.asked, 5);
    }

    #[test]
    fn a03_nothing_granted_and_nobody_there_are_no_division_by_zero() {
        for row in equity(vec![count("984", 0, 0), count("69", 300_000, 0)]) {
            assert!(row.ratio.abs() < f64::EPSILON && row.posts_per_100k.abs() < f64::EPSILON);
        }
    }
}
