//! A list separated by commas, of items that may have commas themselves.

/// The items of a list: from the left each as long as possible, such that the rest is a list too. An item has at most
/// `most_parts` parts between commas; `find` says what it is.
///
/// # Errors
/// The first item that is nothing, where no reading of the list has only known items.
pub(super) fn items<T>(
    text: &str,
    most_parts: usize,
    find: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, &str> {
    let mut starts = vec![0];
    starts.extend(text.match_indices(',').map(|(comma, _)| comma + 1));
    starts.push(text.len() + 1);
    let parts = starts.len() - 1;
    let item = |from: usize, to: usize| text[starts[from]..starts[to] - 1].trim();
    let longest_first = |from: usize| (from + 1..=(from + most_parts).min(parts)).rev();
    // the end of the first item of the list from each part on
    let mut ends: Vec<Option<usize>> = vec![None; parts];
    for from in (0..parts).rev() {
        ends[from] = longest_first(from).find(|&to| {
            let rest_is_list = to == parts || ends[to].is_some();
            rest_is_list && find(item(from, to)).is_some()
        });
    }
    let mut found = Vec::new();
    let mut from = 0;
    while from < parts {
        let to = ends[from].or_else(|| {
            // there is no list: go on as far as items are known
            longest_first(from).find(|&to| find(item(from, to)).is_some())
        });
        let known = to.and_then(|to| Some((to, find(item(from, to))?)));
        let Some((to, value)) = known else {
            return Err(item(from, from + 1));
        };
        found.push(value);
        from = to;
    }
    Ok(found)
}
