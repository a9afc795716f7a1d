//! Platforms, architectures and components.

use super::named_enum;

named_enum! {
    /// An operating system.
    Platform, "platform" {
        Windows = "windows",
        Macos = "macos",
        Linux = "linux",
    }
}

named_enum! {
    /// The architecture of an artifact.
    Arch, "arch" {
        /// 64-bit Intel and AMD.
        X86_64 = "x86_64",
        /// 64-bit ARM.
        Aarch64 = "aarch64",
        /// Every architecture of its platform.
        Universal = "universal",
    }
}

named_enum! {
    /// The architecture of a machine, which cannot be universal.
    MachineArch, "arch" {
        /// 64-bit Intel and AMD.
        X86_64 = "x86_64",
        /// 64-bit ARM.
        Aarch64 = "aarch64",
    }
}

named_enum! {
    /// A program of a product.
    Component, "component" {
        /// The program of a single-user edition.
        Standalone = "standalone",
        /// The server program of a multi-user or hosted edition.
        Server = "server",
        /// The client program of a multi-user or hosted edition.
        Client = "client",
    }
}

impl MachineArch {
    /// The architecture of an artifact for exactly this machine.
    #[must_use]
    pub const fn exact(self) -> Arch {
        match self {
            Self::X86_64 => Arch::X86_64,
            Self::Aarch64 => Arch::Aarch64,
        }
    }
}
