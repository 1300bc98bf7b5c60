//! Communes, distances, territories and public holidays, from embedded tables
