//! Cox's partial likelihood as a function of each subject's log-risk.

/// Subjects in the order of time, in groups of equal time.
#[derive(Clone, Debug)]
pub(crate) struct Cox {
    /// Position -> row, ascending in time.
    order: Vec<usize>,
    groups: Vec<Group>,
    weights: Vec<f64>,
}

/// The subjects who left at one time; positions `start..` are at risk then.
#[derive(Clone, Debug)]
struct Group {
    start: usize,
    end: usize,
    /// Positions of those with the event.
    deaths: Vec<usize>,
}

/// The risk sets' sums at one vector of log-risks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Per position: weight times relative risk.
    risk: Vec<f64>,
    /// Per group: sum over those at risk.
    at_risk: Vec<f64>,
    /// Per group: sum over those with the event.
    dying: Vec<f64>,
}

impl Cox {
    /// Rows of weight zero never count. Times must be finite.
    pub(crate) fn new(time: &[f64], event: &[bool], weights: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..time.len()).collect();
        order.sort_by(|&a, &b| time[a].total_cmp(&time[b]));
        let mut groups: Vec<Group> = Vec::new();
        let mut start = 0;
        while start < order.len() {
            let now = time[order[start]];
            let mut end = start;
            while end < order.len() && time[order[end]] <= now {
                end += 1;
            }
            let deaths = (start..end).filter(|&p| event[order[p]] && weights[order[p]] > 0.0).collect();
            groups.push(Group { start, end, deaths });
            start = end;
        }
        Self { order, groups, weights: weights.to_vec() }
    }

    /// The Efron steps of a group: the share of the dying that has already left, and the mean weight.
    fn steps(&self, group: &Group) -> (usize, f64) {
        let d = group.deaths.len();
        let total: f64 = group.deaths.iter().map(|&p| self.weights[self.order[p]]).sum();
        (d, if d == 0 { 0.0 } else { total / d as f64 })
    }

    /// Log partial likelihood; fills its gradient and the diagonal of its negated Hessian (per row).
    ///
    /// # Source
    /// Efron 1977; case weights as in R's survival 3 (each step carries the mean weight of the tied events).
    pub(crate) fn at(&self, eta: &[f64], gradient: &mut [f64], diagonal: &mut [f64]) -> (f64, Sums) {
        let top = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let risk: Vec<f64> =
            self.order.iter().map(|&r| self.weights[r] * (eta[r] - top).max(-500.0).exp()).collect();
        let mut sums =
            Sums { risk, at_risk: vec![0.0; self.groups.len()], dying: vec![0.0; self.groups.len()] };
        let mut running = 0.0;
        for (g, group) in self.groups.iter().enumerate().rev() {
            running += sums.risk[group.start..group.end].iter().sum::<f64>();
            sums.at_risk[g] = running;
            sums.dying[g] = group.deaths.iter().map(|&p| sums.risk[p]).sum();
        }
        let mut value = 0.0;
        // Sums over steps so far of mean/denominator, and of (mean/denominator)^2/mean.
        let (mut first, mut second) = (0.0, 0.0);
        for (g, group) in self.groups.iter().enumerate() {
            let (d, mean) = self.steps(group);
            let (mut own_first, mut own_second) = (0.0, 0.0);
            let (mut all_first, mut all_second) = (0.0, 0.0);
            for step in 0..d {
                let gone = step as f64 / d as f64;
                let left = 1.0 - gone;
                let sum = sums.at_risk[g] - gone * sums.dying[g];
                value -= mean * (sum.ln() + top);
                all_first += mean / sum;
                all_second += mean / (sum * sum);
                own_first += mean * left / sum;
                own_second += mean * left * left / (sum * sum);
            }
            for p in group.start..group.end {
                let row = self.order[p];
                let risk = sums.risk[p];
                gradient[row] = -risk * (first + all_first);
                diagonal[row] = risk * (first + all_first) - risk * risk * (second + all_second);
            }
            for &p in &group.deaths {
                let row = self.order[p];
                let risk = sums.risk[p];
                value += self.weights[row] * eta[row];
                gradient[row] = self.weights[row] - risk * (first + own_first);
                diagonal[row] = risk * (first + own_first) - risk * risk * (second + own_second);
            }
            first += all_first;
            second += all_second;
        }
        (value, sums)
    }

    /// The negated Hessian times `v`, in time linear in the number of rows.
    pub(crate) fn curvature(&self, sums: &Sums, v: &[f64], out: &mut [f64]) {
        let mut weighted = vec![0.0; self.groups.len()];
        let mut running = 0.0;
        for (g, group) in self.groups.iter().enumerate().rev() {
            running += (group.start..group.end).map(|p| sums.risk[p] * v[self.order[p]]).sum::<f64>();
            weighted[g] = running;
        }
        // Sums over steps so far of mean/denominator, and of that times the mean of v at risk.
        let (mut mass, mut pull) = (0.0, 0.0);
        for (g, group) in self.groups.iter().enumerate() {
            let (d, mean) = self.steps(group);
            let dying: f64 = group.deaths.iter().map(|&p| sums.risk[p] * v[self.order[p]]).sum();
            let (mut own_mass, mut own_pull) = (0.0, 0.0);
            let (mut all_mass, mut all_pull) = (0.0, 0.0);
            for step in 0..d {
                let gone = step as f64 / d as f64;
                let sum = sums.at_risk[g] - gone * sums.dying[g];
                let centre = (weighted[g] - gone * dying) / sum;
                all_mass += mean / sum;
                all_pull += mean * centre / sum;
                own_mass += mean * (1.0 - gone) / sum;
                own_pull += mean * (1.0 - gone) * centre / sum;
            }
            for p in group.start..group.end {
                let row = self.order[p];
                out[row] = sums.risk[p] * (v[row] * (mass + all_mass) - (pull + all_pull));
            }
            for &p in &group.deaths {
                let row = self.order[p];
                out[row] = sums.risk[p] * (v[row] * (mass + own_mass) - (pull + own_pull));
            }
            mass += all_mass;
            pull += all_pull;
        }
    }

    /// Each row's cumulative hazard at its own time with nothing known about anyone (Nelson–Aalen
    /// with Efron's handling of ties), so that `event - hazard` is the null martingale residual.
    pub(crate) fn null_hazard(&self) -> Vec<f64> {
        let n = self.order.len();
        let (mut gradient, mut diagonal) = (vec![0.0; n], vec![0.0; n]);
        self.at(&vec![0.0; n], &mut gradient, &mut diagonal);
        let mut hazard = vec![0.0; n];
        for group in &self.groups {
            for p in group.start..group.end {
                let row = self.order[p];
                let weight = self.weights[row];
                let own = if group.deaths.contains(&p) { weight } else { 0.0 };
                hazard[row] = if weight > 0.0 { (own - gradient[row]) / weight } else { 0.0 };
            }
        }
        hazard
    }
}
