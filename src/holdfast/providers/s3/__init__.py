"""S3-compatible storage: which region's bucket is written, bringing two buckets together, and how far copying lags."""
