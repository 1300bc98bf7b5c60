//! People, their wishes, consents and data rights
