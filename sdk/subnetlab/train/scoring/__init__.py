"""How a validator judges: `losses` measures an update, `gate` decides a round, `rating` what lasts."""
