//! What is asked about the method rather than about a model: the paper's Table 1 at a small size, and what
//! training costs on a cluster.

pub mod bench;
pub mod scaling;
pub mod table1;
