//! What is by nature a matter of the embedded stores: damage to a database file, disks that are full, the data folder.
//! Left out where the suite runs on servers; their own troubles are in `postgresql`.

mod damage;
mod folder;
mod full_disk;
