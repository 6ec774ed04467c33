//! What this process knows of each GPU that it has opened: its kind, what it reported outside any call, and
//! what the kernels keep for it.
//!
//! A tensor of burn's knows its device by a number and carries nothing else, so the way from a tensor to
//! this state is a list by device. The list is the only thing here that is process-wide: two devices share
//! nothing, and tests on devices of their own can run at the same time.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;

/// What work on the GPU runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adapter {
    /// A GPU: workgroup memory and barriers are cheap, threads are many.
    Hardware,
    /// A phone's GPU: registers are few, and workgroup memory mostly lies in the cache.
    Phone,
    /// A CPU that poses as one: a barrier suspends every invocation, memory is far away.
    Software,
}

impl Adapter {
    /// Whether it is a GPU and no CPU.
    #[must_use]
    pub const fn is_hardware(self) -> bool {
        matches!(self, Self::Hardware | Self::Phone)
    }

    /// What kind of hardware goes by this name: a driver's ("Mali-G78", "Adreno (TM) 740", "PowerVR B-Series"), or the
    /// vendor and architecture that a browser gives ("arm valhall", "qualcomm adreno-7xx", "img-tec b-series").
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        const PHONES: [&str; 8] = [
            "mali",
            "immortalis",
            "arm",
            "adreno",
            "qualcomm",
            "powervr",
            "img",
            "imagination",
        ];
        let name = name.to_lowercase();
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        let phone = words.any(|word| PHONES.contains(&word));
        if phone { Self::Phone } else { Self::Hardware }
    }
}

/// The state of one open device.
#[derive(Debug)]
pub struct DeviceState {
    adapter: Mutex<Adapter>,
    fault: Mutex<Option<String>>,
    parts: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

static OPEN: Mutex<Vec<(Device, Arc<DeviceState>)>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DeviceState {
    /// The state of a device, with or without gradients; made when it is first asked for, as that of
    /// hardware.
    #[must_use]
    pub fn of(device: &Device) -> Arc<Self> {
        let mut open = lock(&OPEN);
        if let Some((_, state)) = open.iter().find(|(other, _)| other == device) {
            return state.clone();
        }
        let state = Arc::new(Self::new());
        open.push((device.clone().inner(), state.clone()));
        state
    }

    /// The state of a device, if [`Self::of`] made one.
    #[must_use]
    pub fn find(device: &Device) -> Option<Arc<Self>> {
        let open = lock(&OPEN);
        let found = open.iter().find(|(other, _)| other == device);
        found.map(|(_, state)| state.clone())
    }

    fn new() -> Self {
        Self {
            adapter: Mutex::new(Adapter::Hardware),
            fault: Mutex::new(None),
            parts: Mutex::default(),
        }
    }

    /// Says what kind of adapter it is.
    pub fn set_adapter(&self, adapter: Adapter) {
        *lock(&self.adapter) = adapter;
    }

    /// What kind of adapter it is.
    #[must_use]
    pub fn adapter(&self) -> Adapter {
        *lock(&self.adapter)
    }

    /// Notes a fault that the device reports outside any call: WebGPU answers a refused pipeline or a
    /// misused buffer with an event, and leaves the work out. The first fault is kept; later ones mostly
    /// follow from it.
    pub fn report_fault(&self, text: String) {
        lock(&self.fault).get_or_insert(text);
    }

    /// The fault since the last call, if there was one. Whoever reads results asks here first, so that a
    /// failed launch is an error and never zeros.
    #[must_use]
    pub fn take_fault(&self) -> Option<String> {
        lock(&self.fault).take()
    }

    /// What a caller keeps for this device, by its type; its default at the first call.
    #[must_use]
    pub fn part<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut parts = lock(&self.parts);
        let part = parts.entry(TypeId::of::<T>());
        let part = part.or_insert_with(|| Arc::new(T::default())).clone();
        part.downcast().unwrap_or_else(|_| unreachable!("by type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_kept_until_it_is_taken() {
        let state = DeviceState::new();
        state.report_fault("first".to_string());
        state.report_fault("second".to_string());
        assert_eq!(state.take_fault().as_deref(), Some("first"));
        assert_eq!(state.take_fault(), None);
    }

    #[test]
    fn phones_are_known_by_name() {
        for name in [
            "Mali-G78",
            "Immortalis-G715",
            "arm valhall",
            "Adreno (TM) 740",
            "qualcomm adreno-7xx",
            "PowerVR B-Series BXM-8-256",
            "img-tec b-series",
        ] {
            assert_eq!(Adapter::of_name(name), Adapter::Phone, "{name}");
        }
        for name in [
            "NVIDIA H100",
            "nvidia ampere",
            "apple metal-3",
            "AMD Radeon RX 6800 (RADV NAVI21)",
            "Intel(R) Iris(R) Xe Graphics",
            "GPU",
        ] {
            assert_eq!(Adapter::of_name(name), Adapter::Hardware, "{name}");
        }
    }

    #[test]
    fn a_device_has_one_state_and_each_type_one_part() {
        let device = Device::flex();
        let state = DeviceState::of(&device);
        state.set_adapter(Adapter::Software);
        let again = DeviceState::find(&device.autodiff()).expect("made above");
        assert_eq!(again.adapter(), Adapter::Software);
        *lock(&state.part::<Mutex<u32>>()) = 3;
        assert_eq!(*lock(&again.part::<Mutex<u32>>()), 3);
        assert_eq!(*lock(&again.part::<Mutex<u64>>()), 0);
    }
}
