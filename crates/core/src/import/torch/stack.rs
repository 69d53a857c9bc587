//! The stack of the pickle machine, its marks and its memo.

use std::collections::BTreeMap;

use super::value::{Id, Step};

/// The state of an unfinished pickle.
#[derive(Debug, Default)]
pub(super) struct Stack {
    items: Vec<Id>,
    /// Lengths of `items` at which containers began.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
}

impl Stack {
    pub fn push(&mut self, id: Id) {
        self.items.push(id);
    }

    pub fn mark(&mut self) {
        self.marks.push(self.items.len());
    }

    /// The stack above the last mark: an item below it belongs to an unfinished container.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub fn top(&self) -> Step<Id> {
        match self.items.last() {
            Some(&id) if self.items.len() > self.floor() => Ok(id),
            _ => Err("the stack is empty".into()),
        }
    }

    pub fn pop(&mut self) -> Step<Id> {
        let id = self.top()?;
        self.items.pop();
        Ok(id)
    }

    pub fn pop_many(&mut self, count: usize) -> Step<Vec<Id>> {
        let above = self.items.len() - self.floor();
        if above < count {
            return Err(format!("{count} values are needed, the stack has {above}"));
        }
        Ok(self.items.split_off(self.items.len() - count))
    }

    pub fn pop_to_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self
            .marks
            .pop()
            .ok_or("the end of a container that has no beginning")?;
        Ok(self.items.split_off(mark))
    }

    pub fn remember(&mut self, slot: u32) -> Step<()> {
        let id = self.top()?;
        self.memo.insert(slot, id);
        Ok(())
    }

    pub fn recall(&mut self, slot: u32) -> Step<()> {
        let id = self.memo.get(&slot);
        let id = *id.ok_or_else(|| format!("memo {slot} is asked for before it is set"))?;
        self.items.push(id);
        Ok(())
    }

    /// Remembers in the slot after the last, as in protocol 4.
    pub fn remember_next(&mut self) -> Step<()> {
        self.remember(self.memo.len() as u32)
    }
}
