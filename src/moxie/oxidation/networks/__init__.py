"""Networks without a surface: generators of silicon, silica and SiOx, their cells, and bulk studies."""
