//! What the API Lambdas share.
