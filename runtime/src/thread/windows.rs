//! What std adds to a join handle on Windows.

use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle,
};

use super::handle::JoinHandle;

impl<T> AsRawHandle for JoinHandle<T> {
    fn as_raw_handle(&self) -> RawHandle {
        self.inner.as_raw_handle()
    }
}

impl<T> IntoRawHandle for JoinHandle<T> {
    fn into_raw_handle(self) -> RawHandle {
        self.inner.into_raw_handle()
    }
}

impl<T> AsHandle for JoinHandle<T> {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.inner.as_handle()
    }
}

impl<T> From<JoinHandle<T>> for OwnedHandle {
    fn from(handle: JoinHandle<T>) -> OwnedHandle {
        handle.inner.into()
    }
}
