using System.Runtime.ExceptionServices;

namespace NinCudnn.Training;

/// <summary>
/// Fills a ring of slots with batch after batch on a thread of its own, as far ahead as there are slots. Batch b goes into slot b modulo
/// the number of slots. One thread at a time may use it. After the first pass nothing is allocated.
/// </summary>
internal sealed class BatchPrefetch : IDisposable
{
    private readonly object _gate = new(); // guards what follows
    private readonly int _slots;
    private readonly Action<int, int> _fill;
    private readonly Thread _thread;
    private int _batches; // of the pass
    private int _filled;
    private int _taken;
    private int _released;
    private bool _isFilling;
    private bool _isDisposed;
    private ExceptionDispatchInfo? _failure;

    /// <param name="slots">Slots in the ring.</param>
    /// <param name="fill">Fills a slot (first argument) with a batch (second argument).</param>
    public BatchPrefetch(int slots, Action<int, int> fill)
    {
        _slots = slots;
        _fill = fill;
        _thread = new Thread(Run) { IsBackground = true, Name = "NinCudnn data" };
        _thread.Start();
    }

    /// <summary>Waits until nothing is being filled, and gives the pass up.</summary>
    public void Halt()
    {
        lock (_gate)
        {
            _batches = 0;
            while (_isFilling)
                Monitor.Wait(_gate);
            _failure = null;
        }
    }

    /// <summary>Begins a pass, after <see cref="Halt"/>.</summary>
    /// <param name="batches">Batches in the whole pass.</param>
    /// <param name="first">The batch to begin with.</param>
    public void Start(int batches, int first = 0)
    {
        lock (_gate)
        {
            _batches = batches;
            _filled = _taken = _released = first;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until the next batch is filled.</summary>
    /// <param name="batch">Its position in the pass.</param>
    /// <returns>Its slot.</returns>
    /// <exception cref="InvalidOperationException">It is not the next of the pass.</exception>
    /// <exception cref="Exception">Filling failed, by this exception.</exception>
    public int Take(int batch)
    {
        lock (_gate)
        {
            if (batch != _taken || batch >= _batches)
                throw new InvalidOperationException($"batch {batch} was taken, the next is {_taken} of {_batches}");
            while (_filled == batch && _failure is null)
                Monitor.Wait(_gate);
            if (_filled == batch)
                _failure!.Throw();
            _taken++;
            return batch % _slots;
        }
    }

    /// <summary>Gives the slot that was taken first back, to be filled again.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _released++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until nothing is being filled, and ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Monitor.PulseAll(_gate);
        }
        _thread.Join();
    }

    private void Run()
    {
        while (WaitForSlot() is { } batch)
        {
            ExceptionDispatchInfo? failure = null;
            try
            {
                _fill(batch % _slots, batch);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e); // is thrown where the batch is taken
            }
            lock (_gate)
            {
                _isFilling = false;
                _failure = failure;
                if (failure is null)
                    _filled++;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <returns>The batch that is to be filled next, null when it is over.</returns>
    private int? WaitForSlot()
    {
        lock (_gate)
        {
            while (!_isDisposed && (_filled >= _batches || _filled - _released == _slots || _failure is not null))
                Monitor.Wait(_gate);
            _isFilling = !_isDisposed;
            return _isDisposed ? null : _filled;
        }
    }
}
