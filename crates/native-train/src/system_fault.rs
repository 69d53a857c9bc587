//! What file systems may refuse: which refusals are no failure, and how tests ask for them.

use std::io;

/// Fails as the variable `BIGGAN_SYSTEM_FAULT` asks of this call, `CALL=ERRNO` separated by commas; only in programs
/// built with the feature `faults`.
///
/// # Errors
/// The error that was asked for.
pub fn inject(call: &str) -> io::Result<()> {
    #[cfg(feature = "faults")]
    if let Ok(faults) = std::env::var("BIGGAN_SYSTEM_FAULT") {
        let errno = faults.split(',').find_map(|fault| {
            let (name, errno) = fault.split_once('=')?;
            (name == call).then(|| errno.parse().ok()).flatten()
        });
        if let Some(errno) = errno {
            return Err(io::Error::from_raw_os_error(errno));
        }
    }
    let _ = call;
    Ok(())
}

/// Whether a file system does not have what was asked of it (ENOSYS, EOPNOTSUPP, ENOLCK, EINVAL, EBADF, ENODEV), as
/// opposed to having failed at it.
pub fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(errno) = error.raw_os_error() {
        return [
            libc::ENOSYS,
            libc::EOPNOTSUPP,
            libc::ENOTSUP,
            libc::ENOLCK,
            libc::EINVAL,
            libc::EBADF,
            libc::ENODEV,
        ]
        .contains(&errno);
    }
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_system_lacks_is_told_from_what_it_failed_at() {
        for errno in [libc::ENOSYS, libc::ENOLCK, libc::EOPNOTSUPP, libc::EINVAL] {
            assert!(is_unsupported(&io::Error::from_raw_os_error(errno)));
        }
        for errno in [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::EACCES] {
            assert!(!is_unsupported(&io::Error::from_raw_os_error(errno)));
        }
    }
}
