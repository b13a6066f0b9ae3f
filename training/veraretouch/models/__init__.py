"""Network definitions: renderer, encoder, parameter head, tone encoder, vision-language model."""
