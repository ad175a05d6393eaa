"""The store on disk: FORMAT.md is the contract, the modules keep it."""
