//! Counts names that no catalogue has: what a grammar makes impossible is measured all the same.

use silverback_catalogue::Catalogue;
use silverback_graph::Plan;

/// Operations, and arguments of those that there are, that the packs do not know. Calls of vendors without a pack here are passed over.
pub fn invented(plan: &Plan, catalogue: &Catalogue) -> usize {
    let mut invented = 0;
    for call in &plan.calls {
        if !catalogue.packs().iter().any(|pack| pack.provider() == call.provider) {
            continue;
        }
        let found = catalogue.find(&call.provider, &call.service, &call.operation);
        let Some(operation) = found.and_then(|at| catalogue.operation(at).ok()) else {
            invented += 1;
            continue;
        };
        invented += call.arguments.keys().filter(|name| operation.parameter(name).is_none()).count();
    }
    invented
}
