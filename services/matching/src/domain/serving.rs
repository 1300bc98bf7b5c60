//! How many introductions a structure should have, and when all of them close (M02, M04).

/// What a structure's posts ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posts {
    /// Active posts that are neither filled nor given back.
    pub vacant: usize,
    /// Of those, the ones that a selection holds until its contract is signed.
    pub reserved: usize,
}

/// What is to be done for a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// Bring this many more introductions.
    Fill(usize),
    /// Close all live introductions: no vacant post is left.
    Close,
    Nothing,
}

/// What a structure needs, from its posts and its live introductions. `target` is M02's number: for each structure,
/// whatever its number of posts.
///
/// A post held by a selection is still vacant: its structure keeps the introductions that it has, because the selection
/// may be cancelled; new ones come only for posts that nobody is selected for.
#[must_use]
pub fn serve(posts: Posts, live: usize, target: usize) -> Serve {
    if posts.vacant == 0 {
        return if live > 0 { Serve::Close } else { Serve::Nothing };
    }
    if posts.vacant > posts.reserved && live < target { Serve::Fill(target - live) } else { Serve::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(vacant: usize, reserved: usize) -> Posts {
        Posts { vacant, reserved }
    }

    #[test]
    fn m02_three_for_each_structure_whatever_its_posts() {
        assert_eq!(serve(posts(1, 0), 0, 3), Serve::Fill(3));
        assert_eq!(serve(posts(5, 0), 1, 3), Serve::Fill(2));
        assert_eq!(serve(posts(5, 0), 3, 3), Serve::Nothing);
    }

    #[test]
    fn m02_all_close_when_no_vacant_post_is_left() {
        assert_eq!(serve(posts(0, 0), 2, 3), Serve::Close);
        assert_eq!(serve(posts(0, 0), 0, 3), Serve::Nothing);
    }

    #[test]
    fn m06_a_selection_keeps_what_is_live_and_brings_nobody_new_for_its_post() {
        assert_eq!(serve(posts(1, 1), 3, 3), Serve::Nothing);
        assert_eq!(serve(posts(1, 1), 2, 3), Serve::Nothing);
        assert_eq!(serve(posts(2, 1), 2, 3), Serve::Fill(1));
    }
}
