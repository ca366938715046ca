"""The ground floor: types, trace, fare, errors, config, registry. Imports nothing of Webfarer above it."""
