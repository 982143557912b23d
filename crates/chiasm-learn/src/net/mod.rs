//! Neural fusion on candle: fused operations, encoders, attention and cross-attention.
