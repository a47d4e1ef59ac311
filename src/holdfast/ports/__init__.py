"""What the controller needs from the outside, as small protocols. Providers and fakes implement them."""
