//! Android's resolver, NDK `<android/multinetwork.h>`: a question is handed over as it is, and a descriptor
//! becomes readable when the answer is there.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use bytes::Bytes;
use libc::c_int;
use telltale_engine::{Input, QueryId};

use super::message::Asked;
use super::{LONGEST, OUTSTANDING};
use crate::poll::{Epoll, Token};

/// The three functions of the system. Who makes this says that they keep to their contracts.
#[derive(Clone, Copy)]
pub struct ResolverCalls {
    /// `android_res_nsend`: a descriptor, or a negative errno.
    pub send: unsafe extern "C" fn(network: u64, message: *const u8, length: usize, flags: u32) -> c_int,
    /// `android_res_nresult`: the length of the answer, or a negative errno. Closes the descriptor.
    pub result: unsafe extern "C" fn(fd: c_int, rcode: *mut c_int, answer: *mut u8, room: usize) -> c_int,
    /// `android_res_cancel`: closes the descriptor.
    pub cancel: unsafe extern "C" fn(fd: c_int),
}

/// Asks it, on one network.
pub(crate) struct Android {
    calls: ResolverCalls,
    network: u64,
    /// By a number that is part of the token of their descriptors.
    questions: BTreeMap<u32, Question>,
    numbers: u32,
    answer: Box<[u8]>,
}

struct Question {
    query: QueryId,
    asked: Asked,
    over_tcp: bool,
    pending: Pending,
}

/// A question that was handed over. Dropped, it is cancelled.
struct Pending {
    calls: ResolverCalls,
    /// `None` once it is closed.
    fd: Option<RawFd>,
}

impl Android {
    pub(crate) fn new(calls: ResolverCalls, network: u64) -> Self {
        let answer = vec![0; LONGEST].into_boxed_slice();
        Self { calls, network, questions: BTreeMap::new(), numbers: 0, answer }
    }

    /// Hands a question over. What cannot be is answered at once, with nothing.
    pub(crate) fn ask(
        &mut self,
        epoll: &Epoll,
        query: QueryId,
        message: Bytes,
        over_tcp: bool,
        inputs: &mut Vec<Input>,
    ) {
        let pending = (self.questions.len() < OUTSTANDING).then(|| self.send(epoll, &message));
        match pending.and_then(Result::ok).zip(Asked::read(message)) {
            Some((pending, asked)) => {
                _ = self.questions.insert(self.numbers, Question { query, asked, over_tcp, pending });
            }
            None => inputs.push(Input::Answer { query, message: None }),
        }
    }

    /// The answer is there.
    pub(crate) fn ready(&mut self, number: u32, inputs: &mut Vec<Input>) {
        let Some(Question { query, asked, over_tcp, pending }) = self.questions.remove(&number) else {
            return;
        };
        let answer = pending.result(&mut self.answer);
        // The resolver may have asked under an id of its own.
        let fits = |answer: &&[u8]| answer.first_chunk().is_some_and(|id| asked.is_answered_by(answer, *id));
        let message =
            answer.filter(fits).map(|answer| asked.restore(&Bytes::copy_from_slice(answer), over_tcp));
        inputs.push(Input::Answer { query, message });
    }

    pub(crate) fn forget(&mut self, query: QueryId) {
        self.questions.retain(|_, question| question.query != query);
    }

    /// Cancels all of them.
    pub(crate) fn cancel(&mut self) -> Vec<QueryId> {
        std::mem::take(&mut self.questions).into_values().map(|question| question.query).collect()
    }

    fn send(&mut self, epoll: &Epoll, message: &[u8]) -> io::Result<Pending> {
        // SAFETY: the pointer and the length are those of the message, which lives until the call returns.
        let fd = unsafe { (self.calls.send)(self.network, message.as_ptr(), message.len(), 0) };
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd));
        }
        let pending = Pending { calls: self.calls, fd: Some(fd) };
        self.numbers = self.numbers.wrapping_add(1);
        // SAFETY: the descriptor is open until `pending` ends.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        epoll.add_reading(borrowed, Token::Query { slot: 0, generation: self.numbers })?;
        Ok(pending)
    }
}

impl Pending {
    /// The answer; `None` where there is none.
    fn result(mut self, buffer: &mut [u8]) -> Option<&[u8]> {
        let (fd, mut rcode) = (self.fd.take()?, 0);
        // SAFETY: the descriptor is that of `send` and was not closed; the pointer and the length are those of the
        // buffer, and rcode is writable.
        let length = unsafe { (self.calls.result)(fd, &raw mut rcode, buffer.as_mut_ptr(), buffer.len()) };
        usize::try_from(length).ok().and_then(|length| buffer.get(..length))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            // SAFETY: the descriptor is that of `send` and was not closed.
            unsafe { (self.calls.cancel)(fd) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{FromRawFd, IntoRawFd};
    use std::os::unix::net::UnixStream;
    use std::sync::{Mutex, MutexGuard};

    use super::*;
    use crate::poll::Events;

    const QUESTION: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";

    /// The other ends of what was handed over, and how many were cancelled: C functions have no place for it.
    static PHONE: Mutex<(Vec<UnixStream>, usize)> = Mutex::new((Vec::new(), 0));
    /// One test at a time.
    static TURN: Mutex<()> = Mutex::new(());

    unsafe extern "C" fn send(network: u64, _message: *const u8, _length: usize, _flags: u32) -> c_int {
        if network != 7 {
            return -libc::ENONET;
        }
        let (near, far) = UnixStream::pair().unwrap();
        PHONE.lock().unwrap().0.push(far);
        near.into_raw_fd()
    }

    unsafe extern "C" fn result(fd: c_int, rcode: *mut c_int, answer: *mut u8, room: usize) -> c_int {
        // SAFETY: the caller gives a descriptor of `send`, which ends here, and a buffer with its length.
        let (mut file, answer) =
            unsafe { (File::from_raw_fd(fd), std::slice::from_raw_parts_mut(answer, room)) };
        // SAFETY: the caller gives a place for it.
        unsafe { *rcode = 0 };
        match file.read(answer).unwrap() {
            0 => -libc::ETIMEDOUT,
            length => c_int::try_from(length).unwrap(),
        }
    }

    unsafe extern "C" fn cancel(fd: c_int) {
        // SAFETY: the caller gives a descriptor of `send`, which ends here.
        drop(unsafe { File::from_raw_fd(fd) });
        PHONE.lock().unwrap().1 += 1;
    }

    struct Bed {
        android: Android,
        epoll: Epoll,
        inputs: Vec<Input>,
        _turn: MutexGuard<'static, ()>,
    }

    impl Bed {
        fn new(network: u64) -> Self {
            let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *PHONE.lock().unwrap() = (Vec::new(), 0);
            let android = Android::new(ResolverCalls { send, result, cancel }, network);
            Self { android, epoll: Epoll::new().unwrap(), inputs: Vec::new(), _turn: turn }
        }

        fn ask(&mut self, query: u64, message: &[u8]) {
            let message = Bytes::copy_from_slice(message);
            self.android.ask(&self.epoll, QueryId(query), message, false, &mut self.inputs);
        }

        fn look(&mut self) -> Vec<(u64, Option<Bytes>)> {
            let mut events = Events::with_capacity(16);
            self.epoll.wait_now(&mut events).unwrap();
            for event in (0..16).map_while(|place| events.at(place)) {
                let Token::Query { generation, .. } = event.token else { panic!("{event:?}") };
                self.android.ready(generation, &mut self.inputs);
            }
            let inputs = std::mem::take(&mut self.inputs).into_iter();
            let answer = |input| {
                let Input::Answer { query, message } = input else { panic!("{input:?}") };
                (query.0, message)
            };
            inputs.map(answer).collect()
        }
    }

    fn answer(bytes: usize) -> Vec<u8> {
        let mut answer = QUESTION.to_vec();
        answer[..3].copy_from_slice(&[9, 9, 0x81]);
        answer.resize(QUESTION.len() + bytes, 0);
        answer
    }

    #[test]
    fn an_answer_comes_under_the_apps_id_and_no_longer_than_it_can_receive() {
        let mut bed = Bed::new(7);
        bed.ask(1, QUESTION);
        bed.ask(2, QUESTION);
        assert!(bed.look().is_empty());
        PHONE.lock().unwrap().0[1].write_all(&answer(4)).unwrap();
        let answers = bed.look();
        let [(query, Some(message))] = &answers[..] else { panic!("no answer") };
        assert_eq!((*query, &message[..3], message.len()), (2, &b"\x12\x34\x81"[..], QUESTION.len() + 4));
        PHONE.lock().unwrap().0[0].write_all(&answer(600)).unwrap();
        let answers = bed.look();
        let [(query, Some(message))] = &answers[..] else { panic!("no answer") };
        assert_eq!((*query, message[2] & 2, message.len()), (1, 2, QUESTION.len()), "cut, and told so");
        assert_eq!(PHONE.lock().unwrap().1, 0, "what was answered is not cancelled");
    }

    #[test]
    fn what_the_phone_does_not_answer_ends_without_an_answer() {
        let mut bed = Bed::new(7);
        bed.ask(1, QUESTION);
        PHONE.lock().unwrap().0.clear();
        assert_eq!(bed.look(), [(1, None)]);
        bed.ask(2, QUESTION);
        PHONE.lock().unwrap().0[0].write_all(b"\x09\x09\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00").unwrap();
        assert_eq!(bed.look(), [(2, None)], "an answer to another question");
        bed.ask(3, b"no message");
        assert_eq!(bed.look(), [(3, None)]);
        drop(bed);
        let mut bed = Bed::new(8);
        bed.ask(4, QUESTION);
        assert_eq!(bed.look(), [(4, None)], "a network that is gone");
    }

    #[test]
    fn no_more_are_under_way_than_the_phone_takes_and_all_are_cancelled_in_the_end() {
        let mut bed = Bed::new(7);
        (0..130).for_each(|query| bed.ask(query, QUESTION));
        assert_eq!(bed.look(), [(128, None), (129, None)]);
        bed.android.forget(QueryId(5));
        assert_eq!(PHONE.lock().unwrap().1, 1);
        let cancelled = bed.android.cancel();
        assert_eq!((cancelled.len(), PHONE.lock().unwrap().1), (127, 128));
        bed.ask(200, QUESTION);
        assert!(bed.look().is_empty(), "there is room again");
    }
}
