"""Single sign-on over OpenID Connect."""
