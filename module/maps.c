// SPDX-License-Identifier: GPL-2.0
/*
 * maps.c - the mappings of an open file, and how revocation takes them
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <xen/features.h>

#include "area.h"
#include "policy.h"
#include "pool.h"

int dmop_maps_init(struct dmop_maps *maps, const struct dmop_rights *rights, struct file *filp)
{
	if (xen_feature(XENFEAT_auto_translated_physmap)) {
		maps->share = dmop_share_create();
		if (!maps->share)
			return -ENOMEM;
	}
	maps->rights = rights;
	raw_spin_lock_init(&maps->lock);
	INIT_HLIST_HEAD(&maps->areas);
	INIT_HLIST_HEAD(&maps->taken);

	address_space_init_once(&maps->space);
	maps->space.a_ops = &empty_aops;
	maps->space.host = file_inode(filp);
	filp->f_mapping = &maps->space;
	return 0;
}

bool dmop_maps_hold_other(struct dmop_maps *maps, domid_t domid)
{
	struct dmop_area *area;
	bool other = false;

	raw_spin_lock(&maps->lock);
	hlist_for_each_entry(area, &maps->areas, link)
		other |= area->used && !dmop_policy_same_target(area->domid, domid);
	raw_spin_unlock(&maps->lock);

	return other;
}

int dmop_maps_server(struct file *filp, unsigned long addr, u32 *id)
{
	struct mm_struct *mm = current->mm;
	const struct dmop_area *area;
	struct vm_area_struct *vma;
	int err = -EINVAL;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = dmop_area_find(filp, addr, 1);
	area = vma ? vma->vm_private_data : NULL;
	if (area && addr && area->ioreqs == addr) {
		*id = area->server;
		err = 0;
	}
	mmap_read_unlock(mm);
	return err;
}

unsigned long dmop_maps_frames(struct dmop_maps *maps)
{
	return READ_ONCE(maps->frames);
}

bool dmop_maps_busy(struct dmop_maps *maps)
{
	if (!down_read_trylock(&maps->space.i_mmap_rwsem))
		return true;
	up_read(&maps->space.i_mmap_rwsem);
	return false;
}

/* From here on no mapping call begins with more frames, and no area leaves its list. */
static void take_areas(struct dmop_maps *maps)
{
	raw_spin_lock(&maps->lock);
	maps->closed = true;
	hlist_move_list(&maps->areas, &maps->taken);
	WRITE_ONCE(maps->frames, 0);
	raw_spin_unlock(&maps->lock);
}

/*
 * The order matters on an auto-translated dom0, where an access through a PTE whose page
 * has no frame can be fatal: the PTEs go first, and the frames that a mapping call works
 * on are left to that call.
 */
void dmop_maps_take(struct dmop_maps *maps)
{
	struct dmop_area *area;

	take_areas(maps);
	unmap_mapping_range(&maps->space, 0, 0, 1);
	hlist_for_each_entry(area, &maps->taken, link) {
		unsigned int after = area->busy_first + area->busy_nr;

		dmop_area_remove_frames(area, 0, area->busy_first);
		dmop_area_remove_frames(area, after, area->nr - after);
		cond_resched();
	}
}

void dmop_maps_release(struct dmop_maps *maps)
{
	struct dmop_area *area;
	struct hlist_node *next;

	hlist_for_each_entry_safe(area, next, &maps->taken, link) {
		hlist_del(&area->link);
		dmop_area_release_pages(area);
		dmop_area_put(area);
		cond_resched();
	}
}

void dmop_maps_destroy(struct dmop_maps *maps)
{
	dmop_maps_release(maps);
	dmop_share_put(maps->share);
}
