using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>A tensor or scratch area of a plan, alive from the first to the last step that touches it.</summary>
internal sealed class PlanTensor(string name, long bytes, TensorShape? shape = null)
{
    public string Name { get; } = name;

    public long Bytes { get; } = bytes;

    /// <summary>The extents of an activation; null of other tensors.</summary>
    public TensorShape? Shape => shape;

    public int FirstStep { get; set; } = int.MaxValue;

    public int LastStep { get; set; } = -1;

    public long Offset { get; set; }

    /// <summary>Where it lies; set when the plan is placed.</summary>
    public DeviceMemory Memory { get; set; }

    public bool IsAliveWith(PlanTensor other) => FirstStep <= other.LastStep && other.FirstStep <= LastStep;
}

/// <summary>
/// Places tensors in one piece of memory so that two may share bytes only if they are never alive in the same step.
/// Largest first, each at the lowest offset that is free: the greedy-by-size strategy of Pisarchyk, Lee, "Efficient Memory
/// Management for Deep Neural Net Inference", 2020.
/// </summary>
internal static class ArenaPlanner
{
    /// <summary>Alignment of every tensor, which vector loads and cuBLASLt's algorithms ask for.</summary>
    public const long Alignment = 256;

    /// <summary>Sets every tensor's offset.</summary>
    /// <returns>The bytes needed in all.</returns>
    public static long Place(IEnumerable<PlanTensor> tensors)
    {
        List<PlanTensor> placed = [];
        long total = 0;
        foreach (PlanTensor tensor in tensors.OrderByDescending(tensor => tensor.Bytes))
        {
            long offset = 0;
            foreach (PlanTensor other in placed.Where(tensor.IsAliveWith).OrderBy(other => other.Offset))
            {
                if (offset + tensor.Bytes <= other.Offset)
                    break;
                offset = Math.Max(offset, Align(other.Offset + other.Bytes));
            }
            tensor.Offset = offset;
            placed.Add(tensor);
            total = Math.Max(total, offset + tensor.Bytes);
        }
        return total;
    }

    private static long Align(long offset) => (offset + Alignment - 1) / Alignment * Alignment;
}
