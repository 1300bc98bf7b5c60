//! A k-d tree over points of the sphere and one more measure, which answers for whole regions at once.

use crate::market::rough_chord_squared;

/// Three coordinates on the unit sphere, and one measure of the same scale. Half the precision in half the memory: what
/// it leaves open is decided exactly (see [`SLACK`](crate::assignment::SLACK)).
pub(crate) type Point = [f32; 4];

/// What is known of all items of a node.
pub(crate) trait Summary: Clone {
    fn with(&mut self, other: &Self);
}

/// The least box around some points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) low: Point,
    pub(crate) high: Point,
}

impl Area {
    fn around(points: impl Iterator<Item = Point>) -> Self {
        let empty = Self { low: [f32::INFINITY; 4], high: [f32::NEG_INFINITY; 4] };
        points.fold(empty, |mut area, point| {
            for (dimension, value) in point.into_iter().enumerate() {
                area.low[dimension] = area.low[dimension].min(value);
                area.high[dimension] = area.high[dimension].max(value);
            }
            area
        })
    }

    /// The least and the greatest square of the straight line from a point of the sphere to the box.
    pub(crate) fn distances(&self, from: [f32; 3]) -> (f32, f32) {
        let (mut least, mut greatest) = (0.0, 0.0);
        for (dimension, from) in from.into_iter().enumerate() {
            let below = self.low[dimension] - from;
            let above = from - self.high[dimension];
            let outside = below.max(above).max(0.0);
            let across = (-below).abs().max(above.abs());
            least += outside * outside;
            greatest += across * across;
        }
        (least, greatest)
    }

    /// The least and the greatest square of the straight line from any point of one box to any of the other.
    pub(crate) fn between(&self, other: &Self) -> (f32, f32) {
        let (mut least, mut greatest) = (0.0, 0.0);
        for dimension in 0..3 {
            let above = self.low[dimension] - other.high[dimension];
            let below = other.low[dimension] - self.high[dimension];
            let outside = above.max(below).max(0.0);
            let across = above.abs().max(below.abs());
            least += outside * outside;
            greatest += across * across;
        }
        (least, greatest)
    }

    /// The longest side, on the sphere.
    pub(crate) fn size(&self) -> f32 {
        (0..3).map(|dimension| self.high[dimension] - self.low[dimension]).fold(0.0, f32::max)
    }

    fn widest(&self) -> usize {
        let width = |dimension: &usize| self.high[*dimension] - self.low[*dimension];
        (0..4).max_by(|a, b| width(a).total_cmp(&width(b))).unwrap_or(0)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node<S> {
    pub(crate) area: Area,
    pub(crate) summary: S,
    /// The items below it, in the tree's order.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The second child; the first comes right after the node. 0 for a leaf.
    second: u32,
}

impl<S> Node<S> {
    /// Where its items are in the tree's order.
    pub(crate) fn places(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Tree<S> {
    pub(crate) nodes: Vec<Node<S>>,
    /// The items in the tree's order, as the caller numbers them.
    pub(crate) items: Vec<u32>,
    /// Their points and what is known of them, in the same order.
    pub(crate) points: Vec<(Point, S)>,
}

/// What a node is to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    All,
    None,
    Some,
}

impl<S: Summary> Tree<S> {
    /// A tree over items with their points and summaries, whose leaves hold so many items at most.
    pub(crate) fn over(mut items: Vec<(u32, Point, S)>, leaf: usize) -> Self {
        let mut nodes = Vec::with_capacity(4 * items.len() / leaf + 1);
        if !items.is_empty() {
            grow(&mut nodes, &mut items, 0, leaf);
        }
        let (items, points) = items.into_iter().map(|(item, point, facts)| (item, (point, facts))).unzip();
        Self { nodes, items, points }
    }

    /// The children of a node; nothing for a leaf.
    pub(crate) fn children(&self, node: u32) -> Option<[u32; 2]> {
        let second = self.nodes[node as usize].second;
        (second > 0).then_some([node + 1, second])
    }

    /// Counts items: `of_node` answers for a whole node where it can, `of_leaf` for the items of a leaf.
    pub(crate) fn count(&self, of_node: impl Fn(&Node<S>) -> Answer, of_leaf: impl Fn(&Node<S>) -> usize) -> usize {
        let root = if self.nodes.is_empty() { Vec::new() } else { vec![0] };
        self.count_in(root, of_node, of_leaf)
    }

    /// The same among the items of some nodes.
    pub(crate) fn count_in(
        &self,
        mut open: Vec<u32>,
        of_node: impl Fn(&Node<S>) -> Answer,
        of_leaf: impl Fn(&Node<S>) -> usize,
    ) -> usize {
        let mut count = 0;
        while let Some(number) = open.pop() {
            let node = &self.nodes[number as usize];
            match of_node(node) {
                Answer::None => {}
                Answer::All => count += node.places().len(),
                Answer::Some => match self.children(number) {
                    Some(children) => open.extend(children),
                    None => count += of_leaf(node),
                },
            }
        }
        count
    }
}

/// The points of a tree in columns, each with what its line is held against. Most of counting is one loop over them, which
/// the compiler makes without branches.
#[derive(Clone, Debug)]
pub(crate) struct Columns<L> {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    facts: Vec<L>,
}

impl<L: Copy> Columns<L> {
    pub(crate) fn of<S>(tree: &Tree<S>, facts: impl Fn(&S) -> L) -> Self {
        let column = |dimension: usize| tree.points.iter().map(|(point, _)| point[dimension]).collect();
        let facts = tree.points.iter().map(|(_, summary)| facts(summary)).collect();
        Self { x: column(0), y: column(1), z: column(2), facts }
    }

    /// Counts the items of a leaf by the squares of their straight lines from a point. `decide` answers 1 or 0: whether an
    /// item surely counts, and whether it perhaps does. `exactly` decides on those that lines leave open, by their places.
    pub(crate) fn count<S>(
        &self,
        leaf: &Node<S>,
        from: [f32; 3],
        decide: impl Fn(f32, L) -> (u32, u32),
        exactly: impl Fn(usize) -> bool,
    ) -> usize {
        let places = leaf.places();
        let points = self.x[places.clone()].iter().zip(&self.y[places.clone()]).zip(&self.z[places.clone()]);
        let lines = points
            .zip(&self.facts[places.clone()])
            .map(|(((x, y), z), facts)| decide(rough_chord_squared([*x, *y, *z], from), *facts));
        let (mut sure, mut perhaps) = (0, 0);
        for (is, may_be) in lines.clone() {
            sure += is;
            perhaps += may_be;
        }
        if sure == perhaps {
            return sure as usize;
        }
        let open = lines.zip(places).filter(|((is, may_be), _)| is < may_be);
        sure as usize + open.filter(|(_, place)| exactly(*place)).count()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a market holds fewer than 2^32 items and nodes")]
fn grow<S: Summary>(nodes: &mut Vec<Node<S>>, items: &mut [(u32, Point, S)], start: usize, leaf: usize) {
    let area = Area::around(items.iter().map(|(_, point, _)| *point));
    let number = nodes.len();
    let (first, rest) = items.split_at(1);
    let mut summary = first[0].2.clone();
    if items.len() <= leaf {
        for (.., other) in rest {
            summary.with(other);
        }
        nodes.push(Node { area, summary, start: start as u32, end: (start + items.len()) as u32, second: 0 });
        return;
    }
    let (middle, dimension, end) = (items.len() / 2, area.widest(), start + items.len());
    items.select_nth_unstable_by(middle, |a, b| a.1[dimension].total_cmp(&b.1[dimension]));
    nodes.push(Node { area, summary, start: start as u32, end: end as u32, second: 0 });
    let (left, right) = items.split_at_mut(middle);
    grow(nodes, left, start, leaf);
    let second = nodes.len();
    grow(nodes, right, start + middle, leaf);
    let mut summary = nodes[number + 1].summary.clone();
    summary.with(&nodes[second].summary);
    nodes[number].summary = summary;
    nodes[number].second = second as u32;
}
