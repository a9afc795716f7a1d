//! What a program runs on, and which part of a product it is.

use super::named_enum;

named_enum! {
    /// An operating system.
    Platform, "platform" {
        /// Microsoft Windows.
        Windows = "windows",
        /// Apple macOS.
        Macos = "macos",
        /// Linux.
        Linux = "linux",
    }
}

named_enum! {
    /// What an artifact is built for.
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
    /// What a machine is: unlike an artifact, it cannot be universal.
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
    /// The arch of an artifact made for just this machine.
    #[must_use]
    pub const fn exact(self) -> Arch {
        match self {
            Self::X86_64 => Arch::X86_64,
            Self::Aarch64 => Arch::Aarch64,
        }
    }
}
