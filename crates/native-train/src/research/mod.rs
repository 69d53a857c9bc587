//! Research on the method, not on a model: the paper's Table 1 at a small size, and the cost of training on
//! a cluster.

pub mod bench;
pub mod scaling;
pub mod table1;
