"""What consumers say of data products, and what its owners answer."""
