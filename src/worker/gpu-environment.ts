import type { Gpu, GpuVendor } from '../core/gpu-list.ts';

/** Variables by which programs know their devices; set on workers that have GPUs. docs/environment.md is checked against this list. */
export const GPU_VARIABLES = [
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'NVIDIA_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
  'ROCR_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
] as const;
type Assignment = `${(typeof GPU_VARIABLES)[number]}=${string}`;

/** `NAME=value` for a task that uses these devices and no others; none hides them all. */
export function gpuEnvironment(vendor: GpuVendor, devices: readonly Gpu[]): string[] {
  const ids = devices.map(({ id }) => id).join();
  // Of what the one lets through the others count from 0 again.
  const ordinals = devices.map((_, ordinal) => ordinal).join();
  switch (vendor) {
    case 'nvidia':
      return [
        `CUDA_VISIBLE_DEVICES=${ids}`,
        // Numbers are those of nvidia-smi only in this order: otherwise two tasks might mean one device by two numbers.
        'CUDA_DEVICE_ORDER=PCI_BUS_ID',
        // Of NVIDIA's container runtime, where nothing would mean that it was not asked.
        `NVIDIA_VISIBLE_DEVICES=${ids || 'void'}`,
        `GPU_DEVICE_ORDINAL=${ids}`,
      ] satisfies Assignment[];
    case 'amd':
      return [
        `ROCR_VISIBLE_DEVICES=${ids}`,
        `HIP_VISIBLE_DEVICES=${ordinals}`,
        `GPU_DEVICE_ORDINAL=${ordinals}`,
      ] satisfies Assignment[];
  }
}
