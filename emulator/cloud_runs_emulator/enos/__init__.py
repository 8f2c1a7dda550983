"""EnOS (Envision Digital, now Univers): token service of the API gateway, and batch flows by API version 2.0."""
